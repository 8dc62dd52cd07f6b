"""pytest plugin and task-authoring toolkit for InnovatorBench."""

__version__ = "0.1.0"

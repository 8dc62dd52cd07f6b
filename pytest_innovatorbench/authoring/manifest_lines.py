"""Where in ``task.yaml`` a key stands."""

from __future__ import annotations

import re

import yaml

_LINE = re.compile(r"^line (\d+), column \d+: ")


def line_of_key(text: str, key: str) -> int | None:
    """Return the line of a dotted key, such as ``metrics.0.name``, or of the deepest part that there is.

    Returns:
        The line, from 1; ``None`` where the text is not YAML or has nothing of the key.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    line = None
    for part in key.split("."):
        found = _child(node, part)
        if found is None:
            break
        place, node = found
        line = place.start_mark.line + 1
    return line


def line_in_message(message: str) -> int | None:
    """Return the line that a message about broken YAML begins with."""
    told = _LINE.match(message)
    return int(told[1]) if told else None


def _child(node: yaml.Node | None, part: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return where a part of a key stands, and its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
        return node.value[int(part)], node.value[int(part)]
    return None

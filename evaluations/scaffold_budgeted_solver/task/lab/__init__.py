"""The laboratory: the language of scaffolds, and the simulated solver that they call."""

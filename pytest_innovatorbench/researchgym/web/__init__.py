"""The web, as far as a task lets its agents see of it."""

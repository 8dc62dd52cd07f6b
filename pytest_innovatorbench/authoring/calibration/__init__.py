"""What a task's own submissions score, and what they should."""

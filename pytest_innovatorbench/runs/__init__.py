"""Attempts: running them and keeping their records."""

"""Confining processes: what they may see, use and reach."""

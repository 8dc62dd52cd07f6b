"""Agents side by side, with how sure their means are."""

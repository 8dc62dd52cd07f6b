"""Agents: who does the research."""

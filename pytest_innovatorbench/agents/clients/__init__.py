"""Agents that are programs of others, which take actions as tools of an MCP server."""

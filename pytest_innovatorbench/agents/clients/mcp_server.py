"""An MCP server over standard input and output, by the official package."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[dict[str, Any]], Any]

NAME = "innovatorbench"


def check_package() -> None:
    """Find out whether MCP can be spoken.

    Raises:
        SettingsError: The package is not installed.
    """
    try:
        import_module("mcp.server.lowlevel")
    except ImportError as error:
        raise SettingsError(
            f"MCP needs the package mcp ({error})", remedy="pip install 'pytest-innovatorbench[mcp]'"
        ) from error


def serve(ask: Ask) -> None:
    """Serve one client until it goes.

    Args:
        ask: Answers what a `Gate` does; called in threads.
    """
    check_package()
    import anyio  # noqa: PLC0415 - comes with mcp
    from mcp.server.lowlevel import Server  # noqa: PLC0415 - an extra
    from mcp.server.stdio import stdio_server  # noqa: PLC0415 - an extra
    from mcp.types import (  # noqa: PLC0415 - an extra
        CallToolRequestParams,
        CallToolResult,
        ImageContent,
        ListToolsResult,
        TextContent,
        Tool,
    )

    async def list_tools(*_: Any) -> ListToolsResult:  # noqa: ANN401 - the package's
        found = await anyio.to_thread.run_sync(ask, {"do": "tools"})
        return ListToolsResult(
            tools=[
                Tool(name=tool["name"], description=tool["meaning"], input_schema=tool["schema"])
                for tool in found
            ]
        )

    async def call_tool(_: Any, call: CallToolRequestParams) -> CallToolResult:  # noqa: ANN401 - the package's
        request = {"do": "call", "name": call.name, "arguments": call.arguments or {}}
        seen = await anyio.to_thread.run_sync(ask, request)
        content: list[Any] = [TextContent(type="text", text=seen["text"])]
        content += [
            ImageContent(type="image", data=image["base64"], mime_type=image["media_type"])
            for image in seen["images"]
        ]
        return CallToolResult(content=content, is_error=seen["is_error"])

    server: Server[Any] = Server(NAME, on_list_tools=list_tools, on_call_tool=call_tool)

    async def run() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)


def configuration(socket: str) -> dict[str, Any]:
    """Return how a client starts the server that asks at a gate: ``command`` and ``args``."""
    return {
        "command": sys.executable,
        "args": ["-P", "-m", "pytest_innovatorbench", "mcp", "--connect", socket],
    }


def configuration_file(socket: str) -> str:
    """Return the same in the form of a file that many clients read."""
    return json.dumps({"mcpServers": {NAME: {"type": "stdio", **configuration(socket)}}})

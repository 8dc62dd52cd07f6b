"""An MCP server over standard input and output, or a socket, by the official package."""

from __future__ import annotations

from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from pytest_innovatorbench.errors import SettingsError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    Ask = Callable[[dict[str, Any]], Any]

NAME = "innovatorbench"
_LONGEST_LINE = 8 << 20


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
    """Serve one client, over standard input and output, until it goes.

    Args:
        ask: Answers what a `Desk` does; called in threads.
    """
    _serve(ask, None, None)


def serve_caller(ask: Ask, caller: socket.socket) -> None:
    """Serve one client over a socket until it goes.

    Args:
        ask: Answers what a `Desk` does; called in threads.
        caller: The client, which is not trusted.

    Raises:
        OSError: It went in the middle of an answer; in a group, as may be whatever else goes wrong.
    """
    with caller.makefile("rb") as lines, caller.makefile("wb") as answers:
        _serve(ask, _Lines(lines), _Answers(answers))


class _Lines:
    """Lines of a client, none of which may fill the memory."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __aiter__(self) -> _Lines:
        return self

    async def __anext__(self) -> str:
        import anyio  # noqa: PLC0415 - comes with mcp

        line = await anyio.to_thread.run_sync(self._stream.readline, _LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise StopAsyncIteration
        return line.decode(errors="replace")


class _Answers:
    """The other way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    async def write(self, text: str) -> None:
        self._stream.write(text.encode())

    async def flush(self) -> None:
        import anyio  # noqa: PLC0415 - comes with mcp

        await anyio.to_thread.run_sync(self._stream.flush)


def _serve(ask: Ask, lines: Any, answers: Any) -> None:  # noqa: ANN401 - the package asks for its own kind
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
        async with stdio_server(lines, answers) as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)

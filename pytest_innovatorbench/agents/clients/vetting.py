"""What a request to a model may ask for, where whoever sends it is not trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Tools that whoever asks carries out. All others, such as a search of the web, are the provider's, and would
# reach what the sandbox does not.
_OWN_TOOLS = {"custom", "function", "namespace", "local_shell", "apply_patch", "tool_search"}
_OWN_KINDS = ("bash_", "text_editor_", "computer_", "memory_", "tool_search_tool_")
# What reaches further, or would be computed where nobody counts it.
_REFUSED = ("mcp_servers", "container", "web_search_options", "prompt", "conversation", "background")
_PICTURES = {"image", "document", "input_image", "input_file", "image_url"}


def find_problem(body: dict[str, Any]) -> str | None:
    """Return why a request is not passed on, or ``None`` if it is.

    Args:
        body: The request.
    """
    for name in _REFUSED:
        if body.get(name):
            return f"{name} is not passed on"
    turns = [body.get(name) for name in ("messages", "input", "system")]
    offers = [body.get("tools"), *(item.get("tools") for item in _items(body.get("input")))]
    for kind in _tool_kinds(offers):
        if kind not in _OWN_TOOLS and not kind.startswith(_OWN_KINDS):
            return f"tools of kind {kind!r} are not passed on"
    if any(_is_fetched(block) for block in _blocks(turns)):
        return "files that the provider would have to fetch are not passed on"
    return None


def _items(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list, if it is one."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _tool_kinds(offers: list[Any]) -> Iterator[str]:
    """Yield the kinds of all tools, those within others included."""
    for tool in (tool for offer in offers for tool in _items(offer)):
        yield str(tool.get("type") or "custom")
        yield from _tool_kinds([tool.get("tools")])


def _blocks(value: object) -> Iterator[dict[str, Any]]:
    """Yield all objects in turns, but for what models gave tools to do."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            yield value
            todo += [inner for name, inner in value.items() if name not in {"arguments", "tools"}][
                : 0 if value.get("type") == "tool_use" else None
            ]


def _is_fetched(block: dict[str, Any]) -> bool:
    """Tell whether a picture or document is named by an address, rather than sent along."""
    if block.get("type") not in _PICTURES:
        return False
    source = block.get("source")
    if isinstance(source, dict) and source.get("type") == "url":
        return True
    picture = block.get("image_url")
    address = picture.get("url") if isinstance(picture, dict) else picture
    return bool(block.get("file_url")) or (isinstance(address, str) and not address.startswith("data:"))

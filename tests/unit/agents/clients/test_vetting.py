"""Which requests of a sandbox a model is asked."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_innovatorbench.agents.clients.vetting import find_problem

OWN = {"name": "Bash", "input_schema": {"properties": {"source": {"type": "url"}}}}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
FETCHED = {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}}
CALL = {"type": "tool_use", "id": "1", "name": "show", "input": {"type": "image", "image_url": "https://a"}}


def said(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(blocks)}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": "Hi", "tools": None},
        {
            "messages": said(PICTURE, CALL),
            "tools": [OWN, {**OWN, "type": "custom"}, {"type": "bash_20250124"}],
        },
        {"input": [{"type": "function_call", "arguments": '{"image_url": "https://a"}'}]},
        {"input": said({"type": "input_image", "image_url": "data:image/png;base64,AA=="})},
        {"tools": [{"type": "namespace", "name": "mcp", "tools": [{"type": "function", "name": "eval"}]}]},
        {"input": [{"type": "additional_tools", "tools": [{"type": "custom", "name": "exec"}]}]},
    ],
)
def test_what_programs_ask_goes_through(body: dict[str, Any]) -> None:
    assert find_problem(body) is None


@pytest.mark.parametrize(
    "kind", ["web_search_20250305", "web_fetch_20250910", "code_execution_20250825", "web_search", "mcp"]
)
def test_tools_of_providers_are_refused_wherever_they_stand(kind: str) -> None:
    tool = {"type": kind, "name": "web"}
    for body in (
        {"tools": [OWN, tool]},
        {"tools": [{"type": "namespace", "tools": [tool]}]},
        {"input": [{"type": "additional_tools", "tools": [tool]}]},
    ):
        assert find_problem(body) == f"tools of kind {kind!r} are not passed on"


@pytest.mark.parametrize(
    "block",
    [
        FETCHED,
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "tool_result", "content": [FETCHED]},
        {"type": "input_image", "image_url": "https://example.org/a.png"},
        {"type": "input_file", "file_url": "https://example.org/a.pdf"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ],
)
def test_what_the_provider_would_fetch_is_refused(block: dict[str, Any]) -> None:
    problem = "files that the provider would have to fetch are not passed on"
    assert find_problem({"messages": said(block)}) == problem
    assert find_problem({"input": said(block)}) == problem


@pytest.mark.parametrize(
    "name", ["mcp_servers", "container", "web_search_options", "prompt", "conversation", "background"]
)
def test_what_reaches_further_is_refused(name: str) -> None:
    assert find_problem({name: {"id": "x"}}) == f"{name} is not passed on"
    assert find_problem({name: None}) is None

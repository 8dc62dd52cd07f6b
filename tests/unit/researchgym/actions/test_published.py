"""The published environment's 42 actions: names, parameters, defaults, and the keys of observations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import av
import docx
import pptx
import pytest
from PIL import Image

from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.web.backends import Search
from pytest_innovatorbench.researchgym.web.browser import Browser
from pytest_innovatorbench.researchgym.web.policy import Policy
from pytest_innovatorbench.researchgym.web.searching import SERPER
from tests.conftest import Tree
from tests.unit.researchgym.actions.test_parse import make_pdf
from tests.unit.researchgym.test_gym import Place

NEEDED = object()
ON = {"computer_ip": None}
IN = {**ON, "session_id": "main"}
PROXY = {"http_port": None, "use_proxy": True}
SAVED = {"file_path": NEEDED, "save_path": ""}
PUBLISHED: dict[str, dict[str, Any]] = {
    "create_session": {**IN, **PROXY},
    "list_sessions": ON,
    "run_command": {**IN, **PROXY, "command": NEEDED, "wait_for_completion": False},
    "input_in_session": {**IN, "input_text": NEEDED},
    "get_session_output": {**IN, "start_lines": 50, "end_lines": None, "since_timestamp": None},
    "get_session_status": IN,
    "check_session_idle": IN,
    "clear_session_buffer": IN,
    "close_session": IN,
    "close_all_sessions": ON,
    "kill_session_processes": {**IN, "force": False},
    "edit_file": {"path": NEEDED, "start": NEEDED, "end": NEEDED, "content": NEEDED},
    "open_file": {"path": NEEDED, "line_number": 1, "context_lines": None},
    "file_goto_line": {"line_number": NEEDED},
    "file_scroll_down": {},
    "file_scroll_up": {},
    "create_file": {"filename": NEEDED, "content": ""},
    "search_dir": {"search_term": NEEDED, "dir_path": "."},
    "search_file": {"search_term": NEEDED, "file_path": ""},
    "find_file": {"file_name": NEEDED, "dir_path": "."},
    "list_files": {"path": ".", "show_hidden": False},
    "get_file_info": {},
    "parse_pdf": SAVED,
    "parse_docx": SAVED,
    "parse_latex": SAVED,
    "parse_pptx": SAVED,
    "parse_audio": {**SAVED, "model": "whisper-1"},
    "parse_image": {**SAVED, "task": ""},
    "parse_video": {**SAVED, "task": "", "frame_interval": 30},
    "web_search": {"query": NEEDED, "top_k": 10},
    "web_browse": {"url": NEEDED, "line_number": 1},
    "web_page_goto_line": {"line_number": NEEDED},
    "web_page_scroll_down": {},
    "web_page_scroll_up": {},
    "web_page_search": {"keyword": NEEDED, "context_lines": 5},
    "web_page_search_next": {"context_lines": 5, "search_index": None},
    "web_page_get_links": {"page_size": 10, "page_number": 1},
    "null": {},
    "think": {"thought": NEEDED},
    "view_hint": {},
    "eval": {},
    "finish": {},
}
OWN: dict[str, dict[str, Any]] = {
    "sleep": {"sleep_time": NEEDED, "until": "any"},
    "get_session_recent_output": {**IN, "seconds": 10},
}
BASE = {"success", "message", "error_message", "observation_type", "timestamp", "source"}
READ = {"output", "current_line", "total_lines", "start_line", "end_line", "file_exists", "file_path"}
FOUND = {"search_matches", "search_term", "num_matches", "output"}
SEEN = {"start_line", "end_line", "header", "output"}
HIT = {"keyword", "search_matches", "current_match", "current_line", "context", "output"}
PARSED = {"parse_type", "parsed_content", "save_path"}
KEYS: dict[str, tuple[str, set[str]]] = {
    "create_session": ("command_create_session", {"session_id"}),
    "list_sessions": ("command_list_sessions", {"output"}),
    "run_command": ("command_run", {"session_id", "command", "async_execution", "execution_time", "output"}),
    "input_in_session": ("command_input_in_session", {"session_id", "input_text"}),
    "get_session_output": ("command_output_session", {"session_id", "output", "is_alive"}),
    "get_session_recent_output": ("command_output_session", {"session_id", "output", "is_alive"}),
    "get_session_status": ("command_session_status", {"session_id", "status", "is_idle"}),
    "check_session_idle": ("command_session_status", {"session_id", "status", "is_idle"}),
    "clear_session_buffer": ("command_clear_session_buffer", {"session_id"}),
    "close_session": ("command_close_session", {"session_id", "num_closed_sessions"}),
    "close_all_sessions": ("command_close_session", {"num_closed_sessions"}),
    "kill_session_processes": (
        "command_kill_processes",
        {"session_id", "signal_used", "killed_processes", "failed_kills"},
    ),
    "open_file": ("file_read", READ),
    "file_goto_line": ("file_read", READ),
    "file_scroll_down": ("file_read", READ),
    "file_scroll_up": ("file_read", READ),
    "edit_file": ("file_write", {"file_path", "removed_context", "added_context"}),
    "create_file": ("file_write", {"file_path", "removed_context", "added_context"}),
    "search_dir": ("file_search", {*FOUND, "num_files", "dir_path"}),
    "search_file": ("file_search", {*FOUND, "num_files", "file_path"}),
    "find_file": ("file_search", {*FOUND, "dir_path"}),
    "list_files": ("file_list", {"dir_path", "list_directories", "list_files", "total_items"}),
    "get_file_info": ("file_info", {"file_path", "current_line", "total_lines", "window_size"}),
    "parse_pdf": ("parse", PARSED),
    "parse_docx": ("parse", PARSED),
    "parse_latex": ("parse", PARSED),
    "parse_pptx": ("parse", PARSED),
    "parse_image": ("parse", {*PARSED, "images"}),
    "parse_video": ("parse", {*PARSED, "images"}),
    "parse_audio": ("parse", {*PARSED, "model_used"}),
    "web_search": (
        "web_search",
        {"query", "requested_top_k", "total_results", "search_results", "from_cache"},
    ),
    "web_browse": ("web_browse_read", SEEN),
    "web_page_goto_line": ("web_browse_read", SEEN),
    "web_page_scroll_down": ("web_browse_read", SEEN),
    "web_page_scroll_up": ("web_browse_read", SEEN),
    "web_page_search": ("web_browse_search", HIT),
    "web_page_search_next": ("web_browse_search", HIT),
    "web_page_get_links": (
        "web_browse_links",
        {"total_links", "page_number", "total_pages", "page_size", "links", "output"},
    ),
    "sleep": ("sleep", {"seconds", "reason"}),
    "think": ("think", set()),
    "null": ("null", set()),
    "eval": ("eval", {"overall_score", "already_eval_num", "metric_0"}),
    "view_hint": ("view_hint", set()),
    "finish": ("finish", set()),
}


def test_the_published_actions_are_all_there() -> None:
    assert len(PUBLISHED) == 42
    assert {*PUBLISHED, *OWN, "interrupt_session"} == set(ACTIONS)


@pytest.mark.parametrize("name", [*PUBLISHED, *OWN])
def test_an_action_takes_what_the_published_one_does(name: str) -> None:
    taken = {parameter.name: parameter for parameter in ACTIONS[name].parameters}
    for parameter, default in {**PUBLISHED, **OWN}[name].items():
        assert taken[parameter].required == (default is NEEDED), parameter
        assert default is NEEDED or taken[parameter].default == default, parameter
    more = {parameter.name for parameter in taken.values() if parameter.required} - {
        *{**PUBLISHED, **OWN}[name]
    }
    assert not more, "calls written for the published action would be refused"


@pytest.mark.parametrize("name", [name for name in ACTIONS if ACTIONS[name].family == "command"])
def test_what_only_the_published_proxy_needs_is_accepted_and_not_offered(name: str) -> None:
    given = {"http_port": 8123, "use_proxy": False}
    needed = {p.name: "x" for p in ACTIONS[name].parameters if p.required}
    assert isinstance(ACTIONS[name].arguments({**given, **needed}), dict)
    assert not set(given) & set(ACTIONS[name].schema()["properties"])


class Web(BaseHTTPRequestHandler):
    """Everything that agents ask of the network: pages, a search engine and a speech model."""

    def do_GET(self) -> None:
        rows = "".join(
            f"<p>Paragraph {number} of many that are all about losses.</p>" for number in range(250)
        )
        self.say("text/html", f"<title>Losses</title><h1>Losses</h1>{rows}<a href='/more'>more</a>".encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/transcriptions"):
            self.say("application/json", b'{"text": "good morning"}')
        else:
            found = b'{"organic": [{"title": "t", "link": "http://127.0.0.1/a", "snippet": "s"}]}'
            self.say("application/json", found)

    def say(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name, value in (("OPENAI_API_KEY", "x"), ("OPENAI_BASE_URL", url), ("SERPER_API_KEY", "x"), ("IBENCH_SERPER_URL", url)):  # fmt: skip
        monkeypatch.setenv(name, value)
    yield url
    server.shutdown()
    server.server_close()


def fill(folder: Path) -> None:
    """Write a file of every kind that is parsed."""
    (folder / "paper.pdf").write_bytes(make_pdf())
    (folder / "paper.tex").write_text("\\section{Method} We lose.")
    (folder / "talk.wav").write_bytes(b"RIFF....")
    (folder / "long.txt").write_text("".join(f"line {number}\n" for number in range(400)))
    document, slides = docx.Document(), pptx.Presentation()
    document.add_paragraph("words")
    document.save(str(folder / "paper.docx"))
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "Results"
    slides.save(str(folder / "talk.pptx"))
    Image.new("RGB", (8, 8)).save(folder / "plot.png")
    with av.open(str(folder / "run.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48)))  # type: ignore[no-untyped-call]  # the library forgot
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)


def calls(web: str) -> list[tuple[str, dict[str, Any]]]:
    """A call of every action that succeeds, in an order in which they do."""
    work = {"session_id": "work"}
    return [
        ("create_session", work),
        ("list_sessions", {}),
        (
            "run_command",
            {**work, "command": "sleep 60 & read x; echo $x; wait", "wait_for_completion": False},
        ),
        ("input_in_session", {**work, "input_text": "typed"}),
        ("get_session_status", work),
        ("check_session_idle", work),
        ("sleep", {"sleep_time": 1, "until": "none"}),
        ("kill_session_processes", work),
        ("sleep", {"sleep_time": 5, "until": "work"}),
        ("get_session_output", work),
        ("get_session_recent_output", work),
        ("clear_session_buffer", work),
        ("close_session", work),
        ("close_all_sessions", {"force": True}),
        ("create_file", {"filename": "a/b.txt", "content": "one\ntwo\n"}),
        ("edit_file", {"path": "a/b.txt", "start": 2, "end": -1, "content": "three"}),
        ("open_file", {"path": "long.txt"}),
        ("get_file_info", {}),
        ("file_goto_line", {"line_number": 150}),
        ("file_scroll_down", {}),
        ("file_scroll_up", {}),
        ("search_dir", {"search_term": "three", "dir_path": "a"}),
        ("search_file", {"search_term": "line 7"}),
        ("find_file", {"file_name": "b.txt"}),
        ("list_files", {}),
        ("parse_pdf", {"file_path": "paper.pdf", "save_path": "pdf.txt"}),
        ("parse_docx", {"file_path": "paper.docx", "save_path": "docx.txt"}),
        ("parse_latex", {"file_path": "paper.tex", "save_path": "tex.txt"}),
        ("parse_pptx", {"file_path": "talk.pptx", "save_path": "pptx.txt"}),
        ("parse_audio", {"file_path": "talk.wav", "save_path": "talk.txt"}),
        ("parse_image", {"file_path": "plot.png", "save_path": "plot.txt", "task": "describe"}),
        ("parse_video", {"file_path": "run.mp4", "save_path": "run.txt", "task": "describe"}),
        ("web_search", {"query": "losses"}),
        ("web_browse", {"url": f"{web}/page"}),
        ("web_page_goto_line", {"line_number": 120}),
        ("web_page_scroll_down", {}),
        ("web_page_scroll_up", {}),
        ("web_page_search", {"keyword": "paragraph 20"}),
        ("web_page_search_next", {}),
        ("web_page_get_links", {}),
        ("think", {"thought": "it works"}),
        ("null", {}),
        ("view_hint", {}),
        ("eval", {}),
        ("finish", {}),
    ]


def test_observations_have_the_published_keys(tree: Tree, tmp_path: Path, web: str) -> None:
    (tree.root / "gym/toy").mkdir(parents=True)
    fill(tree.root / "gym/toy")
    place = Place(tree, tmp_path / "computer")
    place.verdicts = [50.0]
    place.gym.browser = Browser(
        Policy(mode="allow", allowed=("127.0.0.1",)), place.gym.parser, search=Search(engine=SERPER)
    )
    made = calls(web)
    assert {name for name, _ in made} == {*PUBLISHED, *OWN}
    for name, arguments in made:
        seen = place.act(name, **arguments).to_dict()
        kind, keys = KEYS[name]
        assert seen["success"], (name, seen["message"])
        assert (name, seen["observation_type"]) == (name, kind)
        keys = keys | {"computer_ip"} if ACTIONS[name].family == "command" else keys
        assert not (BASE | keys | {"budget"}) - set(seen), name
    place.gym.computer.close()


def test_a_failed_file_action_has_the_published_type(tree: Tree, tmp_path: Path) -> None:
    place = Place(tree, tmp_path / "computer")
    for name, arguments in (
        ("open_file", {"path": "gone"}),
        ("edit_file", {"path": "gone", "start": 1, "end": 1, "content": ""}),
        ("create_file", {"filename": "/usr/x", "content": ""}),
        ("search_dir", {"search_term": "x", "dir_path": "gone"}),
        ("list_files", {"path": "gone"}),
        ("get_file_info", {"file_path": "gone"}),
    ):
        assert place.act(name, **arguments).to_dict()["observation_type"] == "file_error"
    place.gym.computer.close()


def test_a_record_holds_no_text_twice(tree: Tree, tmp_path: Path) -> None:
    place = Place(tree, tmp_path / "computer")
    assert place.run("echo hi").to_dict()["output"] == "hi\n"
    assert "output" not in place.events[-1]
    assert place.events[-1]["message"] == "hi\n"
    place.gym.computer.close()

"""What goes through to a model from a sandbox, and what is counted."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.agents.clients.gateway import Gateway
from pytest_innovatorbench.agents.clients.upstream import Upstream
from pytest_innovatorbench.agents.models.prices import Price
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.testing.model_server import (
    Answer,
    Breaks,
    Fails,
    Mangled,
    ModelServer,
    Says,
    scripted,
)
from tests.conftest import Tree
from tests.unit.researchgym.test_gym import Place

WORD = "attempt-word"
KEY = "sk-secret-0123456789"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"
PATHS = frozenset({("POST", MESSAGES), ("POST", RESPONSES), ("GET", "/v1/models")})
ASKED: dict[str, Any] = {
    "model": "some-model",
    "stream": True,
    "messages": [{"role": "user", "content": "Hi"}],
}


class Caller(http.client.HTTPConnection):
    """Asks over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("gateway", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))

    def ask(
        self, path: str, body: object = None, *, word: str = WORD, method: str = "POST", **headers: str
    ) -> http.client.HTTPResponse:
        data = body if isinstance(body, bytes) else json.dumps(ASKED if body is None else body).encode()
        given = {
            "x-api-key": word,
            "content-type": "application/json",
            "cookie": "c",
            "anthropic-version": "1",
        }
        self.request(method, path, data if method == "POST" else None, {**given, **headers})
        return self.getresponse()


class Way:
    """A gateway of a real gym, with a real server behind it."""

    def __init__(self, place: Place, path: Path, gateway: Gateway) -> None:
        self.place = place
        self.gateway = gateway
        self.callers: list[Caller] = []
        self._path = path

    def caller(self) -> Caller:
        self.callers.append(Caller(self._path))
        return self.callers[-1]

    def took(self, *, count: int = 1) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [event for event in self.place.events if event["kind"] == "model_answered"]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(self.place.events)


Open = Callable[..., Any]


@pytest.fixture
def opened(tree: Tree, tmp_path: Path) -> Open:
    @contextmanager
    def start(*answers: Answer, base_url: str = "", **allowance: Any) -> Iterator[tuple[Way, ModelServer]]:
        place = Place(tree, tmp_path / "computer", **allowance)
        path = tmp_path / "model"
        prices = {"some-model": Price(input=1.0, output=5.0)}
        with ModelServer(scripted(*answers)).running() as server:
            upstream = Upstream(base_url=base_url or server.url, key={"x-api-key": KEY}, paths=PATHS)
            gateway = Gateway(path, upstream, place.gym, prices, WORD)
            gateway.open()
            way = Way(place, path, gateway)
            try:
                yield way, server
            finally:
                for caller in way.callers:
                    caller.close()
                gateway.close()
                place.gym.computer.close()

    return start


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
def test_an_answer_goes_through_and_is_counted(opened: Open, path: str) -> None:
    with opened(Says(text="Hello there.", read=900, cached=400)) as (way, server):
        answer = way.caller().ask(f"{path}?beta=true", {**ASKED, "input": []})
        assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream")
        text = answer.read().decode()
        assert "Hello" in text
        (took,) = way.took()
        assert (took["model"], took["input"], took["cache_read"]) == ("some-model", 500, 400)
        assert took["cost"] == pytest.approx((500 + 400 + 5 * took["output"]) / 1e6)
        assert way.place.gym.ledger.tokens == 900 + took["output"]
    (headers,) = server.headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "1")
    assert "cookie" not in headers
    assert server.paths == [f"{path}?beta=true"]


def test_a_whole_answer_is_counted_too(opened: Open) -> None:
    with opened(Says(text="Hello.", read=900)) as (way, _):
        answer = way.caller().ask(MESSAGES, {**ASKED, "stream": False})
        assert json.loads(answer.read())["content"][0]["text"] == "Hello."
        assert way.took()[0]["input"] == 900


def test_pieces_come_when_they_come(opened: Open) -> None:
    slow = Breaks(says=Says(text="x" * 200), pause=0.05)
    with opened(slow) as (way, _):
        began = time.monotonic()
        answer = way.caller().ask(MESSAGES)
        answer.read1(10)
        first = time.monotonic() - began
        answer.read()
        assert first < (time.monotonic() - began) / 4


def test_a_caller_may_ask_again(opened: Open) -> None:
    with opened(Says(text="Hello.")) as (way, server):
        caller = way.caller()
        for _ in range(3):
            assert caller.ask(MESSAGES).read()
        assert len(server.requests) == 3


def test_a_broken_answer_is_seen_to_be_one(opened: Open) -> None:
    with opened(Breaks(says=Says(text="Hello."), after=100)) as (way, _):
        answer = way.caller().ask(MESSAGES)
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


def test_who_hangs_up_pays_all_the_same(opened: Open) -> None:
    slow = Breaks(says=Says(text="x" * 400, read=900), pause=0.01)
    with opened(slow) as (way, _):
        answer = way.caller().ask(RESPONSES, {**ASKED, "input": []})
        answer.read1(10)
        answer.close()
        (took,) = way.took()
        assert took["output"] > 50


def test_failures_go_through_as_they_are(opened: Open) -> None:
    with opened(Fails(status=429, headers={"retry-after": "7", "set-cookie": "c"})) as (way, _):
        answer = way.caller().ask(MESSAGES)
        assert (answer.status, answer.getheader("retry-after"), answer.getheader("set-cookie")) == (
            429,
            "7",
            None,
        )
        assert json.loads(answer.read())["error"]["message"] == "no time"


def test_a_model_that_never_answers_is_told_from_one_that_stops(opened: Open) -> None:
    with opened(Fails(status=404), Says(text="yes"), Fails(status=400)) as (way, _):
        way.gateway.check()  # nothing was asked yet
        way.caller().ask(MESSAGES).read()
        with pytest.raises(MachineFaultError, match=r"^the model's server answered 404: check "):
            way.gateway.check()
        way.caller().ask(MESSAGES).read()
        way.caller().ask(MESSAGES).read()
        way.gateway.check()


def test_it_can_be_a_port_on_loopback(opened: Open) -> None:
    with opened(Says(text="yes")) as (way, _):
        gateway = Gateway(None, way.gateway.upstream, way.place.gym, {})
        gateway.open()
        address = gateway.url.removeprefix("http://")
        assert re.fullmatch(r"127\.0\.0\.1:\d+", address)
        for word, status in ((WORD, 401), (gateway.word, 200)):
            caller = http.client.HTTPConnection(address, timeout=10)
            given = {"authorization": f"Bearer {word}", "content-type": "application/json"}
            caller.request("POST", MESSAGES, json.dumps(ASKED), given)
            assert caller.getresponse().status == status
            caller.close()
        gateway.close()


def test_a_mangled_answer_is_not_counted(opened: Open) -> None:
    with opened(Mangled()) as (way, _):
        assert way.caller().ask(MESSAGES).read()
        assert way.place.gym.ledger.tokens == 0


def test_redirects_are_not_followed(opened: Open) -> None:
    with opened(Says(text="Hello.")) as (way, server):
        server.script = lambda _: Fails(status=302, headers={"location": f"{server.url}/v1/messages"})
        answer = way.caller().ask(MESSAGES)
        assert answer.status == 302
        assert answer.getheader("location") is None
        assert len(server.requests) == 1


def test_a_server_that_is_away(opened: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with opened(Says(), base_url=f"http://127.0.0.1:{port}") as (way, _):
        answer = way.caller().ask(MESSAGES)
        assert answer.status == 502
        assert message(answer) == "the model's server cannot be reached: URLError"


def message(answer: http.client.HTTPResponse) -> str:
    return str(json.loads(answer.read())["error"]["message"])


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ({"path": "/v1/files"}, 403, "POST /v1/files is not passed on"),
        ({"path": "/v1/messages/batches"}, 403, "POST /v1/messages/batches is not passed on"),
        ({"path": "/v1/messages/../files"}, 403, "POST /v1/messages/../files is not passed on"),
        ({"path": f"{MESSAGES}?x=http://a/"}, 403, "POST /v1/messages is not passed on"),
        ({"path": MESSAGES, "method": "GET"}, 403, "GET /v1/messages is not passed on"),
        (
            {"path": "http://127.0.0.1:1/v1/messages"},
            403,
            "POST http://127.0.0.1:1/v1/messages is not passed on",
        ),
        ({"path": MESSAGES, "word": KEY}, 401, "the key is not that of this attempt"),
        ({"path": MESSAGES, "word": ""}, 401, "the key is not that of this attempt"),
        ({"path": MESSAGES, "body": b"{"}, 400, "the request is no JSON object"),
        ({"path": MESSAGES, "body": b"[1]"}, 400, "the request is no JSON object"),
        ({"path": MESSAGES, "body": b"[" * 100_000}, 400, "the request is no JSON object"),
        (
            {"path": MESSAGES, "body": {**ASKED, "mcp_servers": [{"type": "url"}]}},
            403,
            "mcp_servers is not passed on",
        ),
        (
            {"path": MESSAGES, "content-length": "99999999999"},
            413,
            "give the length of the request, which may have 32 MB",
        ),
    ],
)
def test_what_is_refused(opened: Open, request_: dict[str, Any], status: int, said: str) -> None:
    given = dict(request_)
    path, body = given.pop("path"), given.pop("body", None)
    with opened(Says(text="Hello.")) as (way, server):
        answer = way.caller().ask(path, body, **given)
        assert answer.status == status
        assert message(answer) == said
        assert server.requests == []


def test_lists_of_models_may_be_asked_for(opened: Open) -> None:
    with opened(Says()) as (way, _):
        assert way.caller().ask("/v1/models", method="GET").status == 501  # the server of the test has none


def test_after_the_end_nothing_goes_through(opened: Open) -> None:
    with opened(Says(text="Hello.")) as (way, server):
        way.place.gym.end("finished")
        answer = way.caller().ask(MESSAGES)
        assert (answer.status, message(answer)) == (403, "the attempt is over")
        assert server.requests == []


def test_tokens_end_the_attempt(opened: Open) -> None:
    with opened(Says(text="Hello.", read=900), tokens=500) as (way, _):
        assert way.caller().ask(MESSAGES).status == 200
        way.took()
        assert way.place.gym.ending == "tokens"


def test_where_the_cost_is_limited_a_model_needs_a_price(opened: Open) -> None:
    with opened(Says(text="Hello."), cost=1.0) as (way, server):
        answer = way.caller().ask(MESSAGES, {**ASKED, "model": "dear"})
        assert message(answer) == "the cost is limited, and the price of dear is not known"
        assert server.requests == []
        assert way.caller().ask(MESSAGES).status == 200


def test_callers_who_say_nothing_get_no_more_than_their_share(opened: Open) -> None:
    with opened(Says(text="Hello.")) as (way, _):
        before = threading.active_count()
        silent = [way.caller() for _ in range(24)]
        for link in silent:
            link.connect()
            time.sleep(0.02)
        assert threading.active_count() <= before + 16
        for link in silent:
            link.close()
        assert way.caller().ask(MESSAGES).status == 200

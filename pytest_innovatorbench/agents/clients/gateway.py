"""The one way in which a vendor's program reaches its model: by HTTP through here, where it is counted."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import socket
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.clients.gate import bind_at
from pytest_innovatorbench.agents.clients.metering import Meter
from pytest_innovatorbench.agents.clients.upstream import passed_back
from pytest_innovatorbench.agents.clients.vetting import find_problem
from pytest_innovatorbench.agents.models.prices import find_price
from pytest_innovatorbench.errors import MachineFaultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.agents.clients.upstream import Upstream
    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.researchgym.gym import ResearchGym

_MOST_CALLERS = 16
_LARGEST = 32 << 20  # bytes of a request
_PATIENCE = 60.0  # seconds without a byte of a request, and with an answer that nobody takes
_PIECE = 65536
_REFUSAL = 400  # the least HTTP status of one
_QUERY = re.compile(r"[\w=&.%-]{0,200}")


class Gateway:
    """Passes requests on to a model and answers back, piece by piece, and counts what they took.

    Args:
        path: Where the socket is made; ``None`` for a port on loopback.
        upstream: The model's server.
        gym: The environment, whose books are kept.
        prices: The user's own.
        word: What callers show in place of a key; a new one if left out.

    Attributes:
        refused: Why the last request was not answered, as long as none was; else ``""``.
    """

    def __init__(
        self,
        path: Path | None,
        upstream: Upstream,
        gym: ResearchGym,
        prices: Mapping[str, Price],
        word: str = "",
    ) -> None:
        self.upstream = upstream
        self.word = word or make_word()
        self.gym = gym
        self.refused = ""
        self._has_answered = False
        self._prices = prices
        self._server = _Server(path, self)

    @property
    def url(self) -> str:
        """Its address on loopback."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def open(self) -> None:
        """Answer in threads of its own."""
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.1,), daemon=True, name="ibench-gateway").start()

    def close(self) -> None:
        """Answer no more."""
        self._server.is_closing = True
        self._server.shutdown()
        self._server.server_close()

    def answered(self, status: int) -> None:
        """Take note of how the model's server answered a request for an answer."""
        self._has_answered = self._has_answered or status < _REFUSAL
        self.deny(f"the model's server answered {status}")

    def deny(self, why: str) -> None:
        """Take note of why a request was not answered; of no matter once one was."""
        self.refused = "" if self._has_answered else why

    def check(self) -> None:
        """Find out, of a program that failed, whether that was its model's doing.

        Raises:
            MachineFaultError: Its model has never answered, so nothing that it did can be why.
        """
        if self.refused:
            raise MachineFaultError(f"{self.refused}: check the model's name, its settings and the key")

    def price(self, model: object) -> Price | None:
        """Return what a model costs, if that is known."""
        return find_price(model, self._prices) if isinstance(model, str) else None

    def count(self, meter: Meter, asked: object, seconds: float) -> None:
        """Enter an answer into the books.

        Args:
            meter: What is known of it.
            asked: The model that was asked for.
            seconds: How long it took.
        """
        usage = meter.usage()
        if usage is None:
            return
        price = self.price(meter.model) or self.price(asked)
        self.gym.note(
            "model_answered",
            model=meter.model,
            stop=meter.stop,
            seconds=round(seconds, 3),
            cost=price.of(usage) if price else None,
            input=usage.input,
            output=usage.output,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
        )


def make_word() -> str:
    """Return what one program shows in place of a key; of no use anywhere else."""
    return f"attempt-{secrets.token_urlsafe(24)}"


class _Server(ThreadingMixIn, TCPServer):
    """Listens, with a bound to how many are answered at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = _MOST_CALLERS

    def __init__(self, path: Path | None, gateway: Gateway) -> None:
        self.gateway = gateway
        self.is_closing = False
        self.address_family = socket.AF_INET if path is None else socket.AF_UNIX
        self._path = path
        self._turns = threading.Semaphore(_MOST_CALLERS)
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind, however long the path is."""
        if self._path is None:
            super().server_bind()
        else:
            bind_at(self.socket, self._path)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Answer one caller when it is its turn, so that a flood waits in the kernel's short queue."""
        while not self._turns.acquire(timeout=0.2):
            if self.is_closing:
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Answer one caller."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._turns.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Say nothing: callers hang up as they like, and what they send is theirs."""


class _Handler(BaseHTTPRequestHandler):
    """Answers one caller; whatever comes in is hostile."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE
    server: _Server
    _asked: object = None

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        self.close_connection = True  # who waits to ask again must not keep others from their turn
        body = self._body()
        if body is None:
            self._refuse(413, "give the length of the request, which may have 32 MB")
        elif problem := self._problem(body):
            self._refuse(*problem)
        else:
            self._pass_on(body)

    def _body(self) -> bytes | None:
        length = self.headers.get("content-length", "0" if self.command == "GET" else "")
        if not re.fullmatch(r"\d{1,9}", length) or int(length) > _LARGEST:
            return None
        return self.rfile.read(int(length))

    def _problem(self, body: bytes) -> tuple[int, str] | None:
        gateway = self.server.gateway
        path, _, query = self.path.partition("?")
        shown = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), gateway.word.encode()):
            return 401, "the key is not that of this attempt"
        if (self.command, path) not in gateway.upstream.paths or not _QUERY.fullmatch(query):
            return 403, f"{self.command} {path[:100]} is not passed on"
        if gateway.gym.ending:
            return 403, "the attempt is over"
        return self._wrong_content(body) if self.command == "POST" else None

    def _wrong_content(self, body: bytes) -> tuple[int, str] | None:
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict):
            return 400, "the request is no JSON object"
        gateway = self.server.gateway
        self._asked = request.get("model")
        if gateway.gym.allowance.cost is not None and gateway.price(self._asked) is None:
            said = f"the cost is limited, and the price of {str(self._asked)[:100]} is not known"
            gateway.deny(said)
            return 403, said
        problem = find_problem(request)
        return (403, problem) if problem else None

    def _refuse(self, status: int, text: str) -> None:
        error = {"type": "error", "error": {"type": "refused_by_harness", "message": text}}
        data = json.dumps(error).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _pass_on(self, body: bytes) -> None:
        began = time.monotonic()
        try:
            answer = self.server.gateway.upstream.ask(self.command, self.path, self.headers, body)
        except OSError as error:
            said = f"the model's server cannot be reached: {type(error).__name__}"
            self.server.gateway.deny(said)
            self._refuse(502, said)
            return
        with answer:
            if self.command == "POST":
                self.server.gateway.answered(answer.status)
            self._pass_back(answer, began)

    def _pass_back(self, answer: Any, began: float) -> None:  # noqa: ANN401 - of urllib, which has no type for it
        kind = answer.headers.get("content-type", "")
        meter = Meter(is_stream="event-stream" in kind)
        self.send_response(answer.status)
        for name, value in passed_back(answer.headers).items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("connection", "close")
        self.end_headers()
        with suppress(OSError, HTTPException):
            self._copy(answer, meter)
        self.server.gateway.count(meter, self._asked, time.monotonic() - began)

    def _copy(self, answer: Any, meter: Meter) -> None:  # noqa: ANN401 - as above
        """Hand on what comes when it comes; what a caller does not stay for is counted all the same."""
        is_heard = True
        while data := answer.read1(_PIECE):
            meter.feed(data)
            if is_heard:
                is_heard = self._write(b"%x\r\n%b\r\n" % (len(data), data))
        if is_heard and not answer.length:  # without this end, a broken answer is seen to be one
            self._write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> bool:
        with suppress(OSError):
            self.wfile.write(data)
            return True
        return False

"""Start a vendor's program in the sandbox of its attempt, and lead what it asks its model to the harness.

usage: native_launcher.py

It runs in the sandbox and needs nothing but Python's standard library. What it starts is in plan.json beside
it; sockets beside it lead to the harness.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes its time
ENDPOINT = "{endpoint}"
_PIECE = 65536


def main() -> int:
    """Run the program to its end and return its status."""
    with open(f"{HERE}/plan.json", encoding="utf-8") as stream:  # noqa: PTH123 - as above
        plan = json.load(stream)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    home = os.environ["HOME"]
    for name, text in plan["files"].items():
        _write(f"{home}/{name}", text.replace(ENDPOINT, endpoint))
    own = {name: value.replace(ENDPOINT, endpoint) for name, value in plan["environment"].items()}
    with reach("said") as said:
        process = subprocess.Popen(
            plan["argv"], env={**os.environ, **own}, stdin=subprocess.PIPE, stdout=said.fileno()
        )
    process.communicate(plan["prompt"].encode())
    return process.returncode


def reach(name: str) -> socket.socket:
    """Connect to one of the harness's sockets, whose path may be longer than the kernel takes."""
    where = os.open(HERE, os.O_PATH | os.O_DIRECTORY)
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect(f"/proc/self/fd/{where}/{name}")
    finally:
        os.close(where)
    return link


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - as above
    with open(path, "w", encoding="utf-8") as stream:  # noqa: PTH123 - as above
        stream.write(text)


def _accept(listener: socket.socket) -> None:
    while True:
        caller, _ = listener.accept()
        threading.Thread(target=_join, args=(caller,), daemon=True).start()


def _join(caller: socket.socket) -> None:
    """Pass on what comes, both ways, as it comes."""
    try:
        link = reach("model")
    except OSError:
        caller.close()
        return
    back = threading.Thread(target=_pass_on, args=(link, caller), daemon=True)
    back.start()
    _pass_on(caller, link)
    back.join()
    caller.close()
    link.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_PIECE):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    sys.exit(main())

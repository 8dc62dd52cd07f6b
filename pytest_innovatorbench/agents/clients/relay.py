"""Join standard input and output with a unix socket: an MCP server whose other end is the harness.

usage: relay.py SOCKET

It runs beside a client, where nothing else of ours is, and needs nothing but Python's standard library.
"""

import os
import socket
import sys
import threading

_PIECE = 65536


def connect(path: str) -> socket.socket:
    """Connect to a socket, whose path may be longer than the 107 bytes that the kernel takes."""
    folder, _, name = path.rpartition("/")
    where = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY)
    link = socket.socket(socket.AF_UNIX)
    link.connect(f"/proc/self/fd/{where}/{name}")
    os.close(where)
    return link


def main() -> None:
    """Pass on what comes, both ways, until the harness goes."""
    link = connect(sys.argv[1])
    threading.Thread(target=_send, args=(link,), daemon=True).start()
    while data := link.recv(_PIECE):
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]


def _send(link: socket.socket) -> None:
    while data := os.read(0, _PIECE):
        link.sendall(data)
    link.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"the harness does not answer: {error.strerror}")

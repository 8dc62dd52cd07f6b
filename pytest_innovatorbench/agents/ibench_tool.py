"""Ask the harness for an evaluation, the hint or the end of the attempt.

usage: ibench-tool eval      evaluate /workspace/data/outputs as it is now
       ibench-tool hint      show the hint; it costs points
       ibench-tool status    time, evaluations and actions left
       ibench-tool finish    end the attempt
       add --json for the whole observation

It runs in the sandbox and needs nothing but Python's standard library.
"""

import json
import os
import socket
import sys

ACTIONS = {"eval": "eval", "hint": "view_hint", "finish": "finish", "status": "status"}


def ask(name: str) -> dict[str, object]:
    """Send one request and return the harness's answer."""
    link = socket.socket(socket.AF_UNIX)
    link.connect(os.environ.get("IBENCH_SOCKET", "/ibench/socket"))
    link.sendall(json.dumps({"action": name}).encode() + b"\n")
    answer = link.makefile("rb").readline()
    if not answer:
        sys.exit("ibench-tool: the attempt is over")
    observation: dict[str, object] = json.loads(answer)
    return observation


def main() -> None:
    """Run one request given on the command line."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    if len(words) != 1 or words[0] not in ACTIONS:
        sys.exit(__doc__)
    try:
        answer = ask(ACTIONS[words[0]])
    except OSError as error:
        sys.exit(f"ibench-tool: the harness does not answer: {error.strerror}")
    print(json.dumps(answer, indent=1) if "--json" in sys.argv else answer["message"])  # noqa: T201 - its output
    sys.exit(0 if answer["success"] else 1)


if __name__ == "__main__":
    main()

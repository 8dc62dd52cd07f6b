"""Keeps the shell sessions of one computer; runs there, alone, under any Python from 3.8.

    python -I -S session_server.py FOLDER

``FOLDER`` is private to it and holds what commands print. Requests come in as JSON lines on standard
input, replies and events go out on standard output, and the end of the input is the end of all.

Every session is an interactive bash on a terminal of its own. A command is written to a file that the
shell sources, with the output in another file, so that nothing a command prints, leaves open or
forgets to close can be taken for something else. The shell tells the exit status by a pipe that the
command does not have. It is information for the agent: a hostile command could forge it.

Start-up time counts, so this imports little, and ``json`` only while the first shell starts.
"""

from __future__ import annotations

import _signal as signal  # the public module builds enums, which takes longer than all of the rest
import contextlib
import fcntl
import os
import select
import sys
import termios
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any, Dict, Union

    Message = Dict[str, Union[str, int, float, bool, list, None]]
    Send = Callable[[Message], None]

STATUS_FD = 251
FIRST = "main"
RC = f"""
unset HISTFILE MAILCHECK
set +o history
PS0= PS1= PS2=
PROMPT_COMMAND='builtin printf "%s\\n" "$?" >&{STATUS_FD}'
readonly PROMPT_COMMAND
"""
"""

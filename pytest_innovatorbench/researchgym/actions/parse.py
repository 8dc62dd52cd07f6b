"""Actions that read documents, pictures, video and sound."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.researchgym.actions.declaration import ActionKind, Desk, Parameter, refuse
from pytest_innovatorbench.researchgym.actions.file import declare_path
from pytest_innovatorbench.researchgym.computers.base import OUTPUT_WINDOW
from pytest_innovatorbench.researchgym.model import Observation
from pytest_innovatorbench.researchgym.parsing.parser import LARGEST_FILE, Parsed
from pytest_innovatorbench.researchgym.parsing.transcription import transcribe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PARSE = "parse"
_CHUNK = 4 << 20
_FILE = declare_path("the file", "file_path")
_SAVE = Parameter(
    name="save_path", kind="string", meaning="where to write the text as well", default="", is_path=True
)
_TASK = Parameter(name="task", kind="string", meaning="what to look for, for the record", default="")


def _document(kind: str) -> Callable[[Desk, Mapping[str, Any]], Observation]:
    def perform(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
        content = _fetch(desk, arguments["file_path"])
        if isinstance(content, str):
            return refuse(PARSE, content)
        found = desk.parser.parse(kind, content, {"frame_interval": arguments.get("frame_interval") or 1})
        if isinstance(found, str):
            return refuse(PARSE, f"{arguments['file_path']}: {found}")
        return _show(desk, found, kind, arguments["save_path"])

    return perform


def _transcribe(desk: Desk, arguments: Mapping[str, Any]) -> Observation:
    content = _fetch(desk, arguments["file_path"])
    if isinstance(content, str):
        return refuse(PARSE, content)
    name = arguments["file_path"].rsplit("/", 1)[-1]
    found = transcribe(name, content, arguments["model"], timeout=max(1.0, desk.remaining_seconds()))
    if isinstance(found, str):
        return refuse(PARSE, f"{arguments['file_path']}: {found}")
    return _show(desk, found, "audio", arguments["save_path"], model_used=arguments["model"])


def _fetch(desk: Desk, path: str) -> bytes | str:
    """Return a file's content, or why it cannot be had."""
    parts: list[bytes] = []
    size = 0
    while True:
        call = {"op": "fetch", "path": path, "offset": size, "length": _CHUNK}
        answer = desk.computer.do_with_file(call)
        if "error" in answer:
            return str(answer["error"])
        if int(answer["size"]) > LARGEST_FILE:
            return f"{path} has {answer['size']:,} bytes; at most {LARGEST_FILE:,} are read"
        part = base64.b64decode(str(answer["base64"]))
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)


def _show(desk: Desk, found: Parsed, kind: str, save_path: str, **more: str) -> Observation:
    text = found.text
    data: dict[str, Any] = {"parse_type": kind, "save_path": "", **more}
    data.update(pages=found.pages, characters=len(text))
    notes = [found.note] if found.note else []
    if save_path:
        answer = desk.computer.do_with_file({"op": "create", "path": save_path, "content": text})
        if "error" in answer:
            return refuse(PARSE, f"read, but not saved: {answer['error']}")
        notes.append(f"saved to {answer['path']}")
        data["save_path"] = answer["path"]
    if len(text) > OUTPUT_WINDOW:
        notes.append(f"the first {OUTPUT_WINDOW:,} of {len(text):,} characters; save_path keeps all")
    if found.images:
        data["images"] = [dict(image) for image in found.images]
    head = f"[{'; '.join(notes)}]\n" if notes else ""
    return Observation(success=True, message=head + text[:OUTPUT_WINDOW], kind=PARSE, data=data)


def _reads(name: str, kind: str, meaning: str, *parameters: Parameter) -> ActionKind:
    return ActionKind(
        name=name, family="parse", meaning=meaning, parameters=(_FILE, *parameters), perform=_document(kind)
    )


PARSE_ACTIONS = (
    _reads("parse_pdf", "pdf", "Read the text of a PDF.", _SAVE),
    _reads("parse_docx", "docx", "Read the text and tables of a Word document.", _SAVE),
    _reads("parse_pptx", "pptx", "Read the texts, tables and notes of a presentation.", _SAVE),
    _reads("parse_latex", "latex", "Read the text of a LaTeX source.", _SAVE),
    _reads("parse_image", "image", "Look at a picture, if the model can.", _SAVE, _TASK),
    _reads(
        "parse_video",
        "video",
        "Look at frames of a video, 16 at most, if the model can.",
        _SAVE,
        _TASK,
        Parameter(
            name="frame_interval", kind="integer", meaning="show every n-th frame", default=30, minimum=1
        ),
    ),
    ActionKind(
        name="parse_audio",
        family="parse",
        meaning="Write down what is said in a recording.",
        parameters=(
            _FILE,
            _SAVE,
            Parameter(name="model", kind="string", meaning="the model that listens", default="whisper-1"),
        ),
        perform=_transcribe,
    ),
)

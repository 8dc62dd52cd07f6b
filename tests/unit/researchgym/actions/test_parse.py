"""Reading documents, each in a real sandbox, through real libraries."""

from __future__ import annotations

import base64
import io
import os
import re
import resource
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import av
import docx
import pptx
import pytest
from PIL import Image

from pytest_innovatorbench.researchgym.actions.reader import Reader
from pytest_innovatorbench.researchgym.actions.table import ACTIONS
from pytest_innovatorbench.researchgym.computers.local import LocalComputer
from pytest_innovatorbench.researchgym.model import Observation
from pytest_innovatorbench.researchgym.parsing import parser
from pytest_innovatorbench.researchgym.parsing.parser import Parser
from pytest_innovatorbench.sandbox import open_sandbox

PDF_OBJECTS = (
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
    "<</Length 49>>stream\nBT /F1 12 Tf 20 100 Td (A loss for labels) Tj ET\n\nendstream",
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
)


def pdf_of(*objects: bytes) -> bytes:
    """A PDF of some objects, the catalogue first, with the table in which readers look for them."""
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj%sendobj\n" % (number, content)
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(offsets) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Root 1 0 R/Size {size}>>\nstartxref\n{len(data)}"
    return data + tail.encode() + b"\n%%EOF"


def make_pdf() -> bytes:
    """A PDF of two pages, written by hand."""
    return pdf_of(*(content.encode() for content in PDF_OBJECTS))


class Desk:
    """What actions that parse use."""

    def __init__(self, workspace: Path, computer: LocalComputer, seconds: float) -> None:
        self.workspace = workspace
        self.computer = computer
        self.reader = Reader()
        self.parser = Parser(open_sandbox("bubblewrap"), seconds)

    def remaining_seconds(self) -> float:
        return 30.0

    def act(self, name: str, **given: Any) -> Observation:
        arguments = ACTIONS[name].arguments(given)
        assert isinstance(arguments, dict), arguments
        return ACTIONS[name].perform(self, arguments)  # type: ignore[arg-type]  # the rest is not for parsing


@pytest.fixture
def seconds() -> float:
    return 60.0


@pytest.fixture
def desk(tmp_path: Path, seconds: float) -> Iterator[Desk]:
    lower, folder = tmp_path / "gym", tmp_path / "computer"
    lower.mkdir()
    folder.mkdir()
    computer = LocalComputer(open_sandbox("bubblewrap"), workspace_lower=lower, folder=folder)
    yield Desk(lower, computer, seconds)
    computer.close()


def test_a_pdf_is_read_page_by_page_and_saved(desk: Desk) -> None:
    (desk.workspace / "paper.pdf").write_bytes(make_pdf())
    seen = desk.act("parse_pdf", file_path="paper.pdf", save_path="notes/paper.txt")
    assert seen.message.splitlines() == [
        "[saved to /workspace/notes/paper.txt]",
        "[page 1]",
        "A loss for labels",
        "[page 2]",
        "A loss for labels",
    ]
    assert (seen.kind, seen.data["pages"]) == ("parse", 2)
    assert desk.computer.run_command("head -2 notes/paper.txt").output.endswith("A loss for labels\n")


def test_a_word_document_is_read_with_its_tables(desk: Desk) -> None:
    document = docx.Document()
    document.add_paragraph("Before")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "a", "b"
    document.add_paragraph("After")
    document.save(str(desk.workspace / "x.docx"))
    assert desk.act("parse_docx", file_path="x.docx").message == "Before\na | b\nAfter"


def test_a_presentation_is_read_with_its_notes(desk: Desk) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "Results"
    slide.notes_slide.notes_text_frame.text = "Say thanks"
    slides.save(str(desk.workspace / "x.pptx"))
    assert desk.act("parse_pptx", file_path="x.pptx").message == "[slide 1]\nResults\n[notes] Say thanks"


def test_latex_is_read_with_its_formulas(desk: Desk) -> None:
    (desk.workspace / "x.tex").write_text("\\section{Method} We use \\emph{less} of $x^2$.")
    assert "We use less of $x^2$." in desk.act("parse_latex", file_path="x.tex").message


def test_a_picture_is_shown_no_larger_than_models_take(desk: Desk) -> None:
    Image.new("RGB", (4000, 100), "red").save(desk.workspace / "x.png")
    seen = desk.act("parse_image", file_path="x.png", task="what colour?")
    assert seen.message == "PNG, 4000 x 100"
    (image,) = seen.data["images"]
    shown = Image.open(io.BytesIO(base64.b64decode(image["base64"])))
    assert (image["media_type"], shown.size) == ("image/jpeg", (1568, 39))


def test_frames_of_a_video_are_shown(desk: Desk) -> None:
    with av.open(str(desk.workspace / "x.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(0, 250, 10):
            picture = Image.new("RGB", (64, 48), (shade, 0, 0))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # the library forgot
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    seen = desk.act("parse_video", file_path="x.mp4", frame_interval=10)
    assert seen.message == "3 frames, every 10th up to the 25th"
    assert len(seen.data["images"]) == 3


@pytest.mark.parametrize("name", ["parse_pdf", "parse_docx", "parse_pptx", "parse_image", "parse_video"])
def test_what_is_damaged_is_an_observation(desk: Desk, name: str) -> None:
    (desk.workspace / "x").write_bytes(b"not what it says" + os.urandom(2000))
    seen = desk.act(name, file_path="x")
    assert (seen.success, "x: it could not be read: " in seen.message) == (False, True)
    gone = desk.act(name, file_path="gone")
    assert gone.message == "/workspace/gone: No such file or directory"


def test_a_bomb_is_stopped_by_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "_MEMORY", 200 << 20)
    with zipfile.ZipFile(desk.workspace / "x.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b" " * (1 << 30))
    seen = desk.act("parse_docx", file_path="x.docx")
    assert not seen.success
    assert "memory" in seen.message


def deflated(size: int) -> bytes:
    """Zeros, packed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)) + packer.flush()


def packed_pdf() -> bytes:
    packed = deflated(1 << 30)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"
    stream = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed)
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream)


def circular_pdf() -> bytes:
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>")


def deep_pdf() -> bytes:
    pages = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 3) for number in range(5000)]
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", *pages)


def office(part: str, text: bytes) -> bytes:
    """An office document with one large or strange part."""
    data = io.BytesIO()
    (docx.Document() if part.startswith("word") else pptx.Presentation()).save(data)
    result = io.BytesIO()
    with zipfile.ZipFile(data) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, text if name == part else source.read(name))
    return result.getvalue()


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    document = f'<?xml version="1.0"?><!DOCTYPE d [{entities}]><d>&l11;</d>'
    return document.encode()


def huge_png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", deflated(1 << 28)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("seconds", [8.0])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("parse_pdf", packed_pdf),
        ("parse_pdf", circular_pdf),
        ("parse_pdf", deep_pdf),
        ("parse_docx", lambda: office("word/document.xml", b" " * (1 << 30))),
        ("parse_docx", lambda: office("word/document.xml", laughs())),
        ("parse_pptx", lambda: office("ppt/presentation.xml", b"<a>" * (1 << 24))),
        ("parse_image", huge_png),
        ("parse_latex", lambda: b"{" * 2_000_000),
        ("parse_latex", lambda: b"\\begin{a}" * 100_000),
    ],
)
def test_bombs_end_as_observations_and_harm_nothing(
    desk: Desk, name: str, make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser, "_MEMORY", 300 << 20)
    (desk.workspace / "bomb").write_bytes(make())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    seen = desk.act(name, file_path="bomb")
    assert time.monotonic() - began < 40
    assert len(seen.message) < 31_000
    assert not seen.success or name in {"parse_pdf", "parse_latex"}, seen.message[:200]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000, "in KB"
    (desk.workspace / "good.tex").write_text("fine")
    assert desk.act("parse_latex", file_path="good.tex").message == "fine"


@pytest.mark.parametrize("seconds", [6.0])
def test_of_latex_that_takes_too_long_the_beginning_is_read(desk: Desk) -> None:
    (desk.workspace / "x.tex").write_text("\\emph{w}$x^2$ " * 200_000)
    seen = desk.act("parse_latex", file_path="x.tex", save_path="x.txt")
    found = re.fullmatch(
        r"only the first ([\d,]+) characters of the source were read", seen.message[1:].split(";")[0]
    )
    assert found is not None, seen.message[:200]
    read = int(found[1].replace(",", ""))
    assert 15_000 < read < 2_000_000
    assert desk.computer.run_command("head -c 12 x.txt").output == "w$x^2$ w$x^2"
    assert seen.data["characters"] == pytest.approx(read / 2, rel=0.01)


def test_a_long_source_is_read_as_a_short_one_is(desk: Desk) -> None:
    section = "\\section{One}\nWe \\emph{use} $a\n+b$ of\n\\begin{itemize}\n\\item x\n\\end{itemize}\n\n"
    (desk.workspace / "x.tex").write_text(section)
    (desk.workspace / "y.tex").write_text(section * 1_000)
    once = desk.act("parse_latex", file_path="x.tex").message
    desk.act("parse_latex", file_path="y.tex", save_path="y.txt")
    (desk.workspace / "once").write_text(once + "\n\n")
    same = "for i in $(seq 1000); do cat once; done | tr -s '\\n' | cmp - <(tr -s '\\n' <y.txt) && echo same"
    assert desk.computer.run_command(same).output == "same\n"


def pdf_of_pages(count: int) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(count))
    pages = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", pages, *[page] * count)


@pytest.mark.parametrize(("count", "note"), [(500, ""), (501, "only the first 500 of 501 pages were read")])
def test_500_pages_are_read_and_no_more(desk: Desk, count: int, note: str) -> None:
    (desk.workspace / "x.pdf").write_bytes(pdf_of_pages(count))
    seen = desk.act("parse_pdf", file_path="x.pdf")
    head, _, pages = seen.message.partition("[page 1]")
    assert (head.strip("[]\n"), seen.data["pages"]) == (note, count)
    assert pages.count("[page ") == 499
    assert "[page 500]" in pages


@pytest.mark.parametrize(
    ("count", "notes"),
    [
        (999, "the first 30,000 of 1,998,998 characters; save_path keeps all"),
        (
            1_001,
            (
                "only the first 2,000,000 characters were read; saved to /workspace/x.txt; "
                "the first 30,000 of 2,000,999 characters; save_path keeps all"
            ),
        ),
    ],
)
def test_two_million_characters_are_read_and_no_more(desk: Desk, count: int, notes: str) -> None:
    text = ("<w:p><w:r><w:t>" + "x" * 2_000 + "</w:t></w:r></w:p>") * count
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    document = f'<w:document xmlns:w="{name}"><w:body>{text}</w:body></w:document>'
    (desk.workspace / "x.docx").write_bytes(office("word/document.xml", document.encode()))
    save = "x.txt" if count > 1_000 else ""
    seen = desk.act("parse_docx", file_path="x.docx", save_path=save)
    assert seen.message.partition("]")[0] == f"[{notes}"
    if save:
        assert desk.computer.run_command("tr -d '\\n' <x.txt | wc -c").output == "2000000\n"


@pytest.mark.parametrize("seconds", [0.01])
def test_what_takes_too_long_is_stopped(desk: Desk) -> None:
    (desk.workspace / "x.pdf").write_bytes(make_pdf())
    seen = desk.act("parse_pdf", file_path="x.pdf")
    assert seen.message == "x.pdf: it could not be read within 0.01 s"


def test_a_file_that_is_too_large_is_not_fetched(desk: Desk) -> None:
    with (desk.workspace / "x.pdf").open("wb") as file:
        file.truncate(300 << 20)
    assert desk.act("parse_pdf", file_path="x.pdf").message == (
        "x.pdf has 314,572,800 bytes; at most 268,435,456 are read"
    )


class Whisper(BaseHTTPRequestHandler):
    """An endpoint that hears the same in everything."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b'{"text": "good morning"}' if b'filename="talk.wav"' in body else b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_a_recording_is_written_down_by_an_endpoint(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.workspace / "talk.wav").write_bytes(b"RIFF....")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "the harness needs OPENAI_API_KEY" in desk.act("parse_audio", file_path="talk.wav").message
    server = HTTPServer(("127.0.0.1", 0), Whisper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    assert desk.act("parse_audio", file_path="talk.wav").message == "good morning"
    server.shutdown()
    server.server_close()
    seen = desk.act("parse_audio", file_path="talk.wav")
    assert seen.message == "talk.wav: the speech model did not answer: APIConnectionError"

"""The program that reads one untrusted file in its sandbox and writes what is in it as JSON.

    python -I -S program.py KIND FILE OPTIONS SITE_PACKAGES ...

OPTIONS is JSON. What comes out is ``{"text": ..., "pages": n, "images": [...], "note": ...}`` or
``{"missing": package}`` or ``{"error": ...}``. The file may be made to break whatever reads it: the
sandbox bounds memory and time, and this program what it writes.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import time
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_PAGES = 500
MOST_TEXT = 2_000_000  # characters
LONGEST_PIECE = 20_000  # characters
MOST_FRAMES = 16
LONGEST_SIDE = 1_568  # pixels; what the models' vendors recommend
MOST_PIXELS = 100_000_000


def read_pdf(path: str, _: dict[str, Any]) -> dict[str, Any]:
    """Return the text of a PDF, page by page."""
    import pypdf  # noqa: PLC0415 - each kind has its own library

    reader = pypdf.PdfReader(path)
    if reader.is_encrypted and not reader.decrypt(""):
        return {"error": "the file is locked with a password"}
    pages = (f"[page {number}]\n{page.extract_text()}" for number, page in enumerate(reader.pages, start=1))
    return paged(pages, len(reader.pages))


def read_docx(path: str, _: dict[str, Any]) -> dict[str, Any]:
    """Return the paragraphs and tables of a Word document, in their order."""
    import docx  # noqa: PLC0415 - see read_pdf

    blocks = docx.Document(path).iter_inner_content()
    parts = (table_text(block) if hasattr(block, "rows") else block.text for block in blocks)
    return {**cut(parts), "pages": None}


def read_pptx(path: str, _: dict[str, Any]) -> dict[str, Any]:
    """Return the texts, tables and notes of a presentation, slide by slide."""
    import pptx  # noqa: PLC0415 - see read_pdf

    slides = pptx.Presentation(path).slides
    return paged((slide_text(number, slide) for number, slide in enumerate(slides, start=1)), len(slides))


def read_latex(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the text of a LaTeX source, formulas as they are written, as far as the time goes."""
    from pylatexenc.latex2text import LatexNodes2Text  # noqa: PLC0415 - see read_pdf

    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a string from the command line
        source, is_whole = file.read(MOST_TEXT), not file.read(1)
    converter = LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=False)
    deadline = time.monotonic() + options["seconds"]
    texts, done = [], 0
    for piece in pieces(source):
        if time.monotonic() > deadline:
            break
        texts.append(converter.latex_to_text(piece))
        done += len(piece)
    found = cut(["".join(texts)])
    if done < len(source) or not is_whole:
        found["note"] = f"only the first {done:,} characters of the source were read"
    return {**found, "pages": None}


def pieces(source: str) -> Iterator[str]:
    """Cut a long source, between paragraphs where it has some, so that time can be looked at."""
    start = 0
    while len(source) - start > LONGEST_PIECE:
        end = start + LONGEST_PIECE
        ends = (source.rfind(mark, start, end) + len(mark) for mark in ("\n\n", "\n", " "))
        cut_at = next((found for found in ends if found > start + LONGEST_PIECE // 2), end)
        yield source[start:cut_at]
        start = cut_at
    yield source[start:]


def read_image(path: str, _: dict[str, Any]) -> dict[str, Any]:
    """Return a picture, no larger than models take."""
    from PIL import Image  # noqa: PLC0415 - see read_pdf

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(path) as image:
        size = f"{image.format}, {image.width} x {image.height}"
        return {"text": size, "pages": 1, "images": [encode_image(image)]}


def read_video(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return every n-th frame of a video, the first few."""
    import av  # noqa: PLC0415 - see read_pdf

    step = max(1, int(options.get("frame_interval", 30)))
    images, count = [], 0
    with av.open(path) as container:
        for count, frame in enumerate(container.decode(video=0)):
            if count % step == 0:
                images.append(encode_image(frame.to_image()))  # type: ignore[no-untyped-call]  # the library forgot
            if len(images) >= MOST_FRAMES:
                break
    text = f"{len(images)} frames, every {step}th up to the {count + 1}th"
    return {"text": text, "pages": len(images), "images": images}


def encode_image(image: Any) -> dict[str, str]:  # noqa: ANN401 - a class of a library that may not be there
    """Return a picture as models take it."""
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    data = io.BytesIO()
    if image.mode in {"RGB", "L"}:
        image.save(data, "JPEG", quality=85)
        return {"media_type": "image/jpeg", "base64": base64.b64encode(data.getvalue()).decode()}
    image.convert("RGBA").save(data, "PNG")
    return {"media_type": "image/png", "base64": base64.b64encode(data.getvalue()).decode()}


def slide_text(number: int, slide: Any) -> str:  # noqa: ANN401 - see encode_image
    """Return what a slide says."""
    parts = [f"[slide {number}]"]
    for shape in slide.shapes:
        if shape.has_text_frame:
            parts.append(shape.text_frame.text)
        elif getattr(shape, "has_table", False):
            parts.append(table_text(shape.table))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        parts.append(f"[notes] {slide.notes_slide.notes_text_frame.text}")
    return "\n".join(part for part in parts if part)


def table_text(table: Any) -> str:  # noqa: ANN401 - see encode_image
    """Return a table, a row a line."""
    return "\n".join(" | ".join(cell.text for cell in row.cells) for row in table.rows)


def paged(pages: Iterator[str], count: int) -> dict[str, Any]:
    """Return the first pages of a document."""
    found = cut(islice(pages, MOST_PAGES))
    if count > MOST_PAGES:
        found["note"] = f"only the first {MOST_PAGES} of {count} pages were read"
    return {**found, "pages": count}


def cut(parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any iterable of texts
    """Join texts, up to a limit."""
    kept, room = [], MOST_TEXT
    for part in parts:
        kept.append(part[:room])
        room -= len(part)
        if room <= 0:
            return {"text": "\n".join(kept), "note": f"only the first {MOST_TEXT:,} characters were read"}
    return {"text": "\n".join(kept)}


def read_html(path: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return a web page."""
    sys.path.insert(0, __file__.rpartition("/")[0])
    found: dict[str, Any] = import_module("page_reader").read_html(path, options)
    return found


READERS: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "pdf": read_pdf,
    "docx": read_docx,
    "pptx": read_pptx,
    "html": read_html,
    "latex": read_latex,
    "image": read_image,
    "video": read_video,
}


def main(kind: str, path: str, options: str, *sites: str) -> None:
    """Read the file and write what was found, or why nothing was."""
    sys.path += sites
    try:
        found = READERS[kind](path, json.loads(options))
    except ModuleNotFoundError as error:
        found = {"missing": error.name}
    except MemoryError:
        found = {"error": "it takes too much memory to read"}
    except Exception as error:  # noqa: BLE001 - libraries raise anything at files that are made to break them
        found = {"error": f"{type(error).__name__}: {error}"[:500]}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

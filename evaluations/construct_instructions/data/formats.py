"""The entries as files of four formats."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from wording import Entry


def write_sources(folder: Path, entries: list[Entry]) -> dict[str, int | None]:
    """Write the entries in four formats; return the fact of each by its id."""
    parts: dict[str, list[tuple[str, Entry]]] = {"forum": [], "page": [], "mail": [], "table": []}
    order = list(parts)
    for number, entry in enumerate(entries):
        kind = order[number % 4]
        parts[kind].append((f"{kind}{number // 4:05d}", entry))
    write_lines(folder / "forum.jsonl", [as_forum(*part) for part in parts["forum"]])
    page = [
        "<html><body><nav>Home | Ask | Log in</nav>",
        *(as_page(*part) for part in parts["page"]),
        "</body></html>",
    ]
    write_lines(folder / "pages.html", page)
    write_lines(folder / "mails.txt", [as_mail(*part) for part in parts["mail"]])
    rows = [f"{i}\t{e.author}\t{e.tag}\t{e.question}\t{e.answer}" for i, e in parts["table"]]
    write_lines(folder / "table.tsv", ["id\tauthor\ttopic\tquestion\tanswer", *rows])
    return {name: entry.fact for part in parts.values() for name, entry in part}


def as_forum(name: str, entry: Entry) -> str:
    """Return an entry as a line of JSON."""
    fields = {
        "id": name,
        "user": entry.author,
        "board": entry.tag,
        "title": entry.question,
        "post": entry.answer,
    }
    return json.dumps(fields)


def as_page(name: str, entry: Entry) -> str:
    """Return an entry as HTML."""
    head = f'<article id="{name}" class="{entry.tag}"><h2>{escape(entry.question)}</h2>'
    foot = f"<footer>by <b>{entry.author}</b> | share | report</footer></article>"
    return f"{head}\n<p>{escape(entry.answer)}</p>\n{foot}"


def as_mail(name: str, entry: Entry) -> str:
    """Return an entry as a mail with a signature."""
    head = f"From: {entry.author}\nMessage-ID: {name}\nX-Topic: {entry.tag}\nSubject: Re: {entry.question}"
    return f"{head}\n\n{entry.answer}\n-- \n{entry.author}, list of the curious\n"


def write_lines(path: Path, lines: list[str]) -> None:
    """Write lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")

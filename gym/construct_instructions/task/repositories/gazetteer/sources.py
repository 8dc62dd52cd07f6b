"""Read the raw sources as they are: what is wrong in them stays wrong."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

DATASETS = Path("data/datasets")
ARTICLE = re.compile(
    r'<article id="(.*?)" class="(.*?)"><h2>(.*?)</h2>\n<p>(.*?)</p>\n<footer>by <b>(.*?)</b>.*?</article>'
)


@dataclass(frozen=True)
class Entry:
    """A question, and what an author answered.

    Attributes:
        id: What records name as their source.
        author: Who answered.
        tag: The category under which it was filed.
        question: The question, as it was written.
        answer: The answer, as it was written.
    """

    id: str
    author: str
    tag: str
    question: str
    answer: str


def read_entries(folder: Path = DATASETS) -> list[Entry]:
    """Return the entries of all four sources."""
    return [*read_forum(folder), *read_pages(folder), *read_mails(folder), *read_table(folder)]


def read_forum(folder: Path) -> list[Entry]:
    """Return the entries of forum.jsonl."""
    posts = [json.loads(line) for line in _read_lines(folder / "forum.jsonl")]
    return [Entry(post["id"], post["user"], post["board"], post["title"], post["post"]) for post in posts]


def read_pages(folder: Path) -> list[Entry]:
    """Return the entries of pages.html."""
    found = ARTICLE.findall((folder / "pages.html").read_text("utf-8"))
    return [
        Entry(name, author, tag, html.unescape(question), html.unescape(answer))
        for name, tag, question, answer, author in found
    ]


def read_mails(folder: Path) -> list[Entry]:
    """Return the entries of mails.txt."""
    entries = []
    for mail in re.split(r"(?m)^From: ", (folder / "mails.txt").read_text("utf-8"))[1:]:
        head, body = mail.split("\n\n", 1)
        author, name, tag, subject = (line.split(": ", 1)[-1] for line in head.split("\n"))
        entries.append(Entry(name, author, tag, subject.removeprefix("Re: "), body.split("\n-- \n")[0]))
    return entries


def read_table(folder: Path) -> list[Entry]:
    """Return the entries of table.tsv."""
    return [Entry(*line.split("\t")) for line in _read_lines(folder / "table.tsv")[1:]]


def read_benchmark(folder: Path = DATASETS) -> list[str]:
    """Return the questions that must not be in the dataset."""
    return [json.loads(line)["question"] for line in _read_lines(folder / "benchmark.jsonl")]


def read_countries(folder: Path = DATASETS) -> dict[str, str]:
    """Return the names of countries by their codes."""
    return dict(line.split("\t") for line in _read_lines(folder / "countries.tsv")[1:])


def _read_lines(path: Path) -> list[str]:
    return path.read_text("utf-8").rstrip("\n").split("\n")

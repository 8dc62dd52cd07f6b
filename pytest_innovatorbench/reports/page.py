"""The frame of every HTML file that we write: one file, neither a script nor the network."""

from __future__ import annotations

from importlib.resources import files

from pytest_innovatorbench.reports.markup import Markup, element

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render_page(title: str, *children: Markup | None, style: str = "") -> str:
    """Return a self-contained page for light and dark screens.

    Args:
        title: Its title.
        children: What it shows, in order; ``None`` leaves one out.
        style: Rules of ours beside the common style sheet.
    """
    body = element("body", element("main", *children))
    return f"<!DOCTYPE html>\n{element('html', _head(title, style), body, lang='en')}\n"


def _head(title: str, style: str) -> Markup:
    # Both style sheets are ours and hold no character that ends them.
    common = Markup(files(__package__).joinpath("report.css").read_text(encoding="utf-8"))
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", common, Markup(style)),
    )

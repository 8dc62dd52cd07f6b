from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from pytest_innovatorbench.hostile import one_line
from pytest_innovatorbench.reports.document import ReportDocument, report_document
from pytest_innovatorbench.reports.markdown_report import escape_markdown, render_markdown
from pytest_innovatorbench.runs.model import Status
from tests.unit.reports.samples import HOSTILE, MakeResult


def shown(markdown: str) -> str:
    """Return the HTML that a reader of the Markdown gets."""
    return str(MarkdownIt("commonmark").enable("table").render(markdown))


def cells(markdown: str) -> list[list[str]]:
    """Return the text of the cells of every table row."""
    rows = re.findall(r"<tr>(.*?)</tr>", shown(markdown), re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_the_tables_hold_what_the_terminal_shows(document: ReportDocument) -> None:
    markdown = render_markdown(document)
    assert "| oracle | 70.0 | 40.0 (2 of 6) | 50.0 | 80.0 | 3 of 7 tasks |" in markdown
    assert "| task_5 | LD | oracle | 0 | 40.0 | 80.0 | 99.0 | 2/3 | no | 31.0s | VIOLATION |" in markdown
    assert "| baseline |  | 1.0 | 1.0 | 1.0 | 1 of 1 task |" in markdown
    assert (
        "oracle: means go over 3 of 7 attempts; not counted: 1 interrupted, 1 unscoreable (evaluator), "
        "1 unscoreable (machine), 1 violation." in markdown
    )
    assert "- task_3-oracle-0: UNSCOREABLE (evaluator): ` the evaluator returned NaN `" in markdown


def test_every_row_has_every_column(document: ReportDocument) -> None:
    rows = cells(render_markdown(document))
    assert [len(row) for row in rows] == [6] * 3 + [11] * 9


@pytest.mark.parametrize(
    "text",
    [
        "a | b || c",
        "`code` ``more``",
        "<script>alert(1)</script> &amp; <b>",
        "**bold** __bold__ *it* _it_ ~~gone~~ snake_case_name",
        "[link](javascript:alert(1)) ![image](x)",
        "<https://example.org> https://example.org",
        r"back\slash \| \\|",
        "# not a heading $math$",
    ],
)
def test_cell_contents_are_shown_as_they_are(result: MakeResult, text: str) -> None:
    markdown = render_markdown(report_document([result(task=text, agent=text)]))
    row = cells(markdown)[-1]
    assert len(row) == 11
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert row[0] == row[2] == escaped


def test_snake_case_stays_readable() -> None:
    assert escape_markdown("loss_noisy_labels-oracle:gpt-4") == "loss_noisy_labels-oracle:gpt-4"
    assert escape_markdown("_private_") == r"\_private\_"


def test_hostile_text_adds_no_markup(hostile: ReportDocument) -> None:
    markdown = render_markdown(hostile)
    assert all(line.isprintable() for line in markdown.splitlines())
    page = shown(markdown)
    assert set(re.findall(r"<([a-z0-9]+)", page)) <= {
        *("h1", "h2", "p", "ul", "li", "code"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert "@someone" not in re.sub(r"<code>.*?</code>", "", page)


def test_errors_are_code_whatever_backticks_they_hold(result: MakeResult) -> None:
    markdown = render_markdown(report_document([result(error="a ``` b ` @someone <i>")]))
    assert "<code>a ``` b ` @someone &lt;i&gt;</code>" in shown(markdown)
    assert one_line(HOSTILE).isprintable()


def test_no_attempts_say_so() -> None:
    assert render_markdown(report_document([])) == "# InnovatorBench report\n\nNo attempts were made.\n"


def test_very_many_attempts_fit_in_a_comment(result: MakeResult) -> None:
    attempts = [result(seed=seed, status=Status.VIOLATION) for seed in range(10_000)]
    markdown = render_markdown(report_document(attempts))
    assert "9,800 attempts left out here: see the records of the run" in markdown
    assert len(markdown) < 65_536

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_innovatorbench.errors import SettingsError, UserError
from pytest_innovatorbench.reports.document import ReportDocument
from pytest_innovatorbench.reports.writer import ReportTarget, parse_target, write_report


@pytest.mark.parametrize(
    ("text", "kind", "path"),
    [
        ("json:results.json", "json", "results.json"),
        ("md:out dir/report.md", "md", "out dir/report.md"),
        ("html:/srv/a:b.html", "html", "/srv/a:b.html"),
    ],
)
def test_a_target_is_a_kind_and_a_path(text: str, kind: str, path: str) -> None:
    target = parse_target(text)
    assert (target.kind, target.path) == (kind, Path(path))
    assert str(target) == text


@pytest.mark.parametrize(
    "text", ["", "json", "json:", "json: ", "xml:a.xml", "JSON:a", "a.json", ":a", "md:\0"]
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_target(text)
    assert str(caught.value) == (f"cannot make a report of {text!r}: use json:PATH, md:PATH or html:PATH")


@pytest.mark.parametrize(("kind", "start"), [("json", "{"), ("md", "# "), ("html", "<!DOCTYPE html>")])
def test_each_kind_is_written_and_folders_are_made(
    tmp_path: Path, document: ReportDocument, kind: str, start: str
) -> None:
    path = tmp_path / "new folder" / "deeper" / f"report.{kind}"
    assert write_report(parse_target(f"{kind}:{path}"), document) == path
    assert path.read_text(encoding="utf-8").startswith(start)
    assert list(path.parent.iterdir()) == [path]


def test_hostile_text_can_be_written_in_each_kind(tmp_path: Path, hostile: ReportDocument) -> None:
    for kind in ("json", "md", "html"):
        path = write_report(parse_target(f"{kind}:{tmp_path}/report.{kind}"), hostile)
        assert path.stat().st_size > 500


def test_an_earlier_report_is_replaced_whole(tmp_path: Path, document: ReportDocument) -> None:
    path = tmp_path / "report.json"
    path.write_text("x" * 10**6, encoding="utf-8")
    with path.open(encoding="utf-8") as reader:
        write_report(parse_target(f"json:{path}"), document)
        assert reader.read() == "x" * 10**6
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == 1


def test_a_report_has_the_usual_permissions(tmp_path: Path, document: ReportDocument) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    path = write_report(parse_target(f"md:{tmp_path}/report.md"), document)
    assert path.stat().st_mode == usual.stat().st_mode


def test_a_link_is_followed(tmp_path: Path, document: ReportDocument) -> None:
    (tmp_path / "latest.md").symlink_to(tmp_path / "real.md")
    assert write_report(parse_target(f"md:{tmp_path}/latest.md"), document) == tmp_path / "real.md"
    assert (tmp_path / "latest.md").is_symlink()


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: ReportDocument) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert write_report(parse_target("md:~/report.md"), document) == tmp_path / "report.md"


def test_a_folder_is_refused(tmp_path: Path, document: ReportDocument) -> None:
    with pytest.raises(UserError) as caught:
        write_report(parse_target(f"json:{tmp_path}"), document)
    assert str(caught.value) == (
        f"cannot write the report json:{tmp_path}: it is not a plain file: choose another path"
    )


def test_a_pipe_is_not_replaced(tmp_path: Path, document: ReportDocument) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="it is not a plain file"):
        write_report(ReportTarget(kind="md", path=pipe), document)
    assert pipe.is_fifo()


def test_a_path_below_a_file_is_an_error_in_one_line(tmp_path: Path, document: ReportDocument) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as caught:
        write_report(parse_target(f"html:{tmp_path}/file/report.html"), document)
    assert str(caught.value) == (
        f"cannot write the report html:{tmp_path}/file/report.html: "
        "its folder is a plain file: choose another path"
    )


def test_a_name_too_long_leaves_nothing_behind(tmp_path: Path, document: ReportDocument) -> None:
    with pytest.raises(UserError, match="File name too long"):
        write_report(parse_target(f"md:{tmp_path}/{'x' * 300}"), document)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error(tmp_path: Path, document: ReportDocument) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="Permission denied: choose another path"):
        write_report(parse_target(f"md:{tmp_path}/report.md"), document)


def test_writing_needs_nothing_heavy() -> None:
    heavy = {"jsonschema", "jinja2", "typer", "numpy", "paramiko", "yaml", "pytest"}
    code = (
        "import sys, pytest_innovatorbench.reports.writer, pytest_innovatorbench.reports.table, "
        f"pytest_innovatorbench.reports.progress; print(sorted({heavy!r} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout == "[]\n"

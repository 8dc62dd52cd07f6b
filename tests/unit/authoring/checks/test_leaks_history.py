"""History of repositories is found in every form, and files that cannot be looked into are named."""

from __future__ import annotations

import io
import pickle
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.unit.authoring.good import Good
from tests.unit.authoring.leaky import found, only

REPOSITORY = "gym/toy/task/repositories/smoother"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Make a repository of one commit."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "method.py").write_text("the key idea\n")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "Publish the method")
    return folder


def test_a_bare_repository(good: Good, clone: Path) -> None:
    git(clone, "clone", "--bare", ".", str(good.root / REPOSITORY / "upstream"))
    finding = only(good, "IB506")
    assert finding.message == "a bare git repository, with its history"
    assert (finding.file, finding.severity) == (f"{REPOSITORY}/upstream", "error")
    assert finding.remedy == "keep the files of one commit only, without history"


def test_a_bundle(good: Good, clone: Path) -> None:
    git(clone, "bundle", "create", str(good.root / REPOSITORY / "all.dat"), "main")
    finding = only(good, "IB506")
    assert finding.message == f"{REPOSITORY}/all.dat is a git bundle, which holds history"


def test_a_pack(good: Good, clone: Path) -> None:
    git(clone, "gc")
    (pack,) = (clone / ".git" / "objects" / "pack").glob("*.pack")
    (good.root / REPOSITORY / "weights.bin").write_bytes(pack.read_bytes())
    finding = only(good, "IB506")
    assert finding.message == f"{REPOSITORY}/weights.bin is a git pack, which holds history"


def test_a_clone_in_an_archive(good: Good, clone: Path) -> None:
    file = good.root / REPOSITORY / "upstream.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for path in clone.rglob("*"):
            archive.write(path, path.relative_to(clone.parent))
    finding = only(good, "IB506")
    assert finding.message == f"{REPOSITORY}/upstream.zip holds .git, with its history"
    assert finding.file == f"{REPOSITORY}/upstream.zip"


@pytest.mark.parametrize("name", [".hg", ".svn"])
def test_other_systems(good: Good, name: str) -> None:
    (good.root / REPOSITORY / name / "store").mkdir(parents=True)
    finding = only(good, "IB506")
    assert (finding.message, finding.file) == (f"{name} holds history", f"{REPOSITORY}/{name}")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.py.orig", "loss = a\n"),
        ("train.py.rej", "loss = a\n"),
        ("fix.patch", "--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-loss = a\n+loss = b\n"),
    ],
)
def test_what_code_was_before_a_change(good: Good, name: str, text: str) -> None:
    (good.root / REPOSITORY / name).write_text(text)
    finding = only(good, "IB506")
    assert finding.message == f"{REPOSITORY}/{name} says what code was before or after a change"
    assert finding.severity == "warning"
    assert finding.remedy == "remove it, or waive this rule with the reason why it gives nothing away"


def test_a_nested_git_folder_breaks_a_rule_of_layout(good: Good, clone: Path) -> None:
    clone.rename(good.root / REPOSITORY / "upstream")
    assert found(good) == {}


def test_what_is_no_history(good: Good) -> None:
    folder = good.root / REPOSITORY
    (folder / ".gitignore").write_text("*.pyc\n")
    (folder / "HEAD").write_text("of the list\n")
    (folder / "colours.diff").write_text("red is no blue\n")
    assert found(good) == {}


def test_files_that_cannot_be_looked_into(good: Good) -> None:
    datasets = good.gym / "data" / "datasets"
    for number in range(3):
        (datasets / f"image{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(99 + number))
    finding = only(good, "IB509")
    assert finding.message == (
        "gym/toy/data/datasets/image0.png and 2 more .png: compared as a whole only; "
        "neither text nor a format that is read"
    )
    assert (finding.file, finding.severity) == ("gym/toy/data/datasets/image0.png", "note")
    assert (
        finding.remedy == "look into it yourself; csv, jsonl, npz, parquet and the like are checked for you"
    )


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("unpickled"),)


def test_pickles_are_not_opened(good: Good, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (good.gym / "data" / "datasets" / "cache").write_bytes(pickle.dumps(Trap()))
    finding = only(good, "IB509")
    assert finding.message == (
        "gym/toy/data/datasets/cache: compared as a whole only; pickles run code and are not opened"
    )
    assert not Path("unpickled").exists()


def test_references_that_cannot_be_looked_into(good: Good) -> None:
    (good.evaluations / "data" / "references" / "more.parquet").write_bytes(b"PAR1 and no more" * 9)
    finding = only(good, "IB509")
    assert finding.message == (
        "evaluations/toy/data/references/more.parquet: compared as a whole only; holds no records that can be read"
    )


def test_hidden_files_other_than_references_need_no_look(good: Good) -> None:
    (good.evaluations / "solution" / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    assert found(good) == {}


def test_a_damaged_archive(good: Good) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "text")
    (good.gym / "data" / "datasets" / "a.zip").write_bytes(file.getvalue()[:40])
    finding = only(good, "IB509")
    assert finding.message == (
        "gym/toy/data/datasets/a.zip: compared as a whole only; "
        "the archive cannot be read (File is not a zip file)"
    )

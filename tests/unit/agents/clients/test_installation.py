"""Finding programs of vendors, and what of them a jail shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_innovatorbench.agents.clients.installation import Installation, find_installation
from pytest_innovatorbench.errors import SettingsError


def put(file: Path, first: str = "#!/bin/sh") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{first}\n")
    file.chmod(0o755)
    return file


def link(place: Path, target: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    return place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{tmp_path / 'node/bin'}:/usr/bin:/bin")
    return tmp_path.resolve()


def find(*hidden: Path) -> Installation:
    found = find_installation("vendor", hidden)
    assert found is not None
    return found


def shown(found: Installation) -> list[Path]:
    assert all(str(bind.source) == bind.dest and not bind.writable for bind in found.binds)
    return [bind.source for bind in found.binds]


def test_of_a_package_the_outermost_node_modules_is_shown(place: Path) -> None:
    inner = "lib/node_modules/@vendor/cli/node_modules/inner/cli"
    program = put(place / inner)
    link(place / "bin/vendor", link(place / "other/link", program))
    found = find()
    assert found.argv == (str(program),)
    assert shown(found) == [place / "lib/node_modules"]


def test_of_another_program_the_file_alone_is_shown(place: Path) -> None:
    program = put(place / "share/versions/2.1")
    link(place / "bin/vendor", program)
    assert shown(find()) == [program]


def test_a_script_comes_with_the_interpreter_that_it_looks_for(place: Path) -> None:
    node = put(place / "node/bin/node")
    script = put(place / "lib/node_modules/vendor/cli.js", "#!/usr/bin/env -S node --no-warnings")
    link(place / "bin/vendor", script)
    found = find()
    assert found.argv == (str(node), str(script))
    assert shown(found) == [node, place / "lib/node_modules"]


def test_what_belongs_to_the_system_is_there_already(place: Path) -> None:
    link(place / "bin/vendor", Path("/usr/bin/env").resolve())
    assert shown(find()) == []


def test_no_program(place: Path) -> None:
    assert find_installation("vendor", (place,)) is None


@pytest.mark.parametrize("hidden", ["lib/node_modules/vendor", "lib", "lib/node_modules/evaluations"])
def test_a_program_is_not_shown_with_what_is_hidden(place: Path, hidden: str) -> None:
    program = put(place / "lib/node_modules/vendor/cli")
    link(place / "bin/vendor", program)
    with pytest.raises(SettingsError) as caught:
        find(place / hidden)
    assert str(caught.value) == (
        f"vendor is installed at {program}, where agents must not see {place / hidden}: install it elsewhere"
    )

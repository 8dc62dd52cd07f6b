"""Prompts are templates that users can replace."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jinja2
import pytest

from pytest_innovatorbench.agents.react import prompting
from pytest_innovatorbench.agents.react.prompting import Prompts
from pytest_innovatorbench.agents.react.samples import SAMPLES, check_prompts
from pytest_innovatorbench.errors import SettingsError


def test_users_template_takes_the_place_of_ours(tmp_path: Path) -> None:
    ours = Prompts(None).render("recheck", sessions="none")
    (tmp_path / "recheck.md.j2").write_text("Sessions: {{ sessions }}\n")
    assert Prompts(tmp_path).render("recheck", sessions="none") == "Sessions: none"
    assert Prompts(None).render("recheck", sessions="none") == ours != "Sessions: none"


def test_template_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "recheck.md.j2"
    file.write_text("before")
    prompts = Prompts(tmp_path)
    assert prompts.render("recheck") == "before"
    file.write_text("after")
    os.utime(file, (1, 1))
    assert (prompts.render("recheck"), Prompts(tmp_path).render("recheck")) == ("after", "after")


def test_attempts_that_begin_at_once_compile_a_template_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    compile_one = jinja2.Environment.compile

    def count(environment: jinja2.Environment, *given: object) -> object:
        compiled.append(given)
        return compile_one(environment, *given)  # type: ignore[call-overload]

    monkeypatch.setattr(jinja2.Environment, "compile", count)
    (tmp_path / "recheck.md.j2").write_text("{{ number }}" * 1000)
    with ThreadPoolExecutor(20) as pool:
        texts = list(pool.map(lambda number: Prompts(tmp_path).render("recheck", number=number), range(20)))
    assert texts == [str(number) * 1000 for number in range(20)]
    assert len(compiled) == 1


def test_template_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "recheck.md.j2").write_text("{{ nothing }}")
    with pytest.raises(SettingsError, match=r"the prompt recheck\.md\.j2: 'nothing' is undefined"):
        Prompts(tmp_path).render("recheck")


def test_every_template_is_tried_before_the_run(tmp_path: Path) -> None:
    folder = Path(prompting.__file__).parent / "prompts"
    assert {file.name for file in folder.iterdir()} == {f"{name}.md.j2" for name in SAMPLES}
    for name in SAMPLES:
        own = tmp_path / name
        own.mkdir()
        (own / f"{name}.md.j2").write_text("{{ nothing }}")
        with pytest.raises(SettingsError, match=rf"the prompt {name}\.md\.j2: 'nothing' is undefined"):
            check_prompts(own)


def test_our_own_templates_take_what_they_are_given(tmp_path: Path) -> None:
    check_prompts(None)
    check_prompts(tmp_path)

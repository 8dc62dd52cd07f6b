from __future__ import annotations

from pathlib import Path

import pytest

from pytest_innovatorbench.agents.base import AgentKind
from pytest_innovatorbench.agents.builtin import SCRIPTED_AGENTS
from pytest_innovatorbench.agents.registry import find, slug, split, tabulate
from pytest_innovatorbench.agents.scripted import Nop
from pytest_innovatorbench.errors import SettingsError, UnknownNameError


def kind(name: str, argument: str = "", about: str = "") -> AgentKind:
    return AgentKind(name=name, make=lambda _: Nop(), argument=argument, about=about)


def test_names_are_split_at_the_first_colon() -> None:
    assert split("react:some:model") == ("react", "some:model")
    assert split("oracle") == ("oracle", "")


def test_of_two_agents_with_one_name_the_first_counts() -> None:
    assert tabulate([kind("a", about="first"), kind("a", about="second")])["a"].about == "first"


def test_arguments_are_asked_for_and_refused() -> None:
    table = tabulate([kind("none"), kind("needed", "MODEL"), kind("optional", "[MODEL]")])
    for agent in ("none", "needed:x", "optional", "optional:x"):
        assert find(agent, table).name == split(agent)[0]
    with pytest.raises(SettingsError, match="agent 'none' takes nothing after a colon: write none"):
        find("none:x", table)
    with pytest.raises(SettingsError, match="agent 'needed' needs more: write needed:MODEL"):
        find("needed", table)


def test_an_unknown_agent_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown agent 'me': known: baseline, command, nop, oracle"):
        find("me", tabulate(SCRIPTED_AGENTS))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("from tests_agent_base import KIND as kind", None),
        ("raise RuntimeError('no licence')", "agent 'packaged' cannot be loaded: RuntimeError: no licence"),
        ("kind = 5", "agent 'packaged': its entry point is no AgentKind: mend packaged_agent:kind"),
    ],
)
def test_agents_come_from_entry_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str | None
) -> None:
    info = tmp_path / "packaged_agent-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: packaged-agent\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest_innovatorbench.agents]\npackaged = packaged_agent:kind\n")
    (tmp_path / "packaged_agent.py").write_text(code + "\n")
    (tmp_path / "tests_agent_base.py").write_text(
        "from pytest_innovatorbench import AgentKind\nKIND = AgentKind(name='packaged', make=lambda request: None)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "packaged_agent", raising=False)
    if message is None:
        assert find("packaged", {}).name == "packaged"
        with pytest.raises(UnknownNameError, match="known: packaged"):
            find("other", {})
    else:
        with pytest.raises(SettingsError) as caught:
            find("packaged", {})
        assert message in str(caught.value)


def test_slugs_name_folders() -> None:
    assert slug("command:./my agent.sh --x=/a") == "command_._my_agent.sh_x_a"
    assert slug("::") == "agent"
    assert len(slug("x" * 500)) == 60

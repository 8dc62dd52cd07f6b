"""What a run of pytest is asked for: attempts of agents, the validation of tasks, or nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.plugin.options import OPTIONS

if TYPE_CHECKING:
    import pytest

    from pytest_innovatorbench.plugin.options import Mode, Option

_SWITCHES: dict[Mode, tuple[str, ...]] = {
    "attempts": ("ibench_agent", "ibench_resume", "ibench_from_snapshot"),
    "validation": ("ibench_validate",),
}


def read_mode(config: pytest.Config) -> Mode | None:
    """Tell what is asked for; what is typed counts before what the ini file says.

    Raises:
        SettingsError: That is two things, or an option is typed that is of no use.
    """
    typed = [option for option in OPTIONS if config.getoption(option.key, None) is not None]
    keys = {option.key for option in typed}
    asked = [mode for mode, switches in _SWITCHES.items() if keys & set(switches)]
    asked = asked or [mode for mode, switches in _SWITCHES.items() if any(map(config.getini, switches))]
    if not typed and not asked:
        return None
    _check(asked, typed)
    return asked[0]


def _check(asked: list[Mode], typed: list[Option]) -> None:
    # Not at the top: this module is loaded in every run of pytest.
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415

    if len(asked) > 1:
        raise SettingsError(
            "--ibench-agent and --ibench-validate do not go together", remedy="run one after the other"
        )
    for option in typed:
        if set(asked) & set(option.modes):
            continue
        if "attempts" not in option.modes:
            raise SettingsError(f"--ibench-{option.name} needs --ibench-validate", remedy="add it")
        if not asked:
            raise SettingsError(
                f"--ibench-{option.name} needs --ibench-agent",
                remedy="name at least one agent, such as oracle",
            )
        raise SettingsError(
            f"--ibench-{option.name} is of no use to --ibench-validate", remedy="leave it out"
        )

"""The pytest plugin: loaded in every run of pytest, idle unless agents or a validation are asked for.

This module, :mod:`.options` and :mod:`.mode` are all that any other run pays for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.plugin.mode import read_mode
from pytest_innovatorbench.plugin.options import add_options

if TYPE_CHECKING:
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the extension points."""
    from pytest_innovatorbench import hookspecs  # noqa: PLC0415 - 1 ms that belongs to the hooks

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the rest of the plugin if it is asked for."""
    config.addinivalue_line(
        "markers",
        "ibench(id, domain, agent, seed, code, cost): an attempt, or a rule for a task; "
        "select with -m \"ibench(domain='LD')\"",
    )
    try:
        mode = read_mode(config)
    except ValueError as error:  # its real kind is not loaded yet where nothing is wrong
        raise pytest.UsageError(str(error)) from None
    # Not at the top: only active runs pay.
    if mode == "attempts":
        from pytest_innovatorbench.plugin.activation import activate  # noqa: PLC0415

        activate(config)
    elif mode == "validation":
        from pytest_innovatorbench.plugin.validation import activate_validation  # noqa: PLC0415

        activate_validation(config)


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Refuse to be pointed into what an agent wrote, where pytest would run its ``conftest.py``."""
    from pytest_innovatorbench.plugin.foreign import workspace_around  # noqa: PLC0415

    for argument in early_config.known_args_namespace.file_or_dir:
        found = workspace_around(early_config.invocation_params.dir / argument.split("::")[0])
        if found is not None:
            raise pytest.UsageError(f"{argument} is an agent's own, whose code pytest would run")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Keep pytest out of what agents start from and leave behind: its ``conftest.py`` is not ours."""
    from pytest_innovatorbench.plugin.foreign import is_foreign  # noqa: PLC0415

    return True if is_foreign(collection_path, config.rootpath) else None

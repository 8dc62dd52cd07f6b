"""All rules: those of the package and those of others."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks import (
    attacks,
    attacks_rewritten,
    calibration,
    description,
    environment,
    evaluator,
    layout,
    leaks,
    template,
    waivers,
)
from pytest_innovatorbench.authoring.model import Rule
from pytest_innovatorbench.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ENTRY_POINTS = "pytest_innovatorbench.rules"
GROUPS = {
    "IB0": "Waivers",
    "IB1": "Layout",
    "IB2": "Description",
    "IB3": "Evaluator",
    "IB4": "Calibration",
    "IB5": "Leaks and cheating",
    "IB6": "Attacks",
    "IB7": "Environment and tests",
}
BUILTIN_RULES: tuple[Rule, ...] = (
    *waivers.RULES,
    *layout.RULES,
    *template.RULES,
    *description.RULES,
    *evaluator.RULES,
    *calibration.RULES,
    *leaks.RULES,
    *attacks.RULES,
    *attacks_rewritten.RULES,
    *environment.RULES,
)


def all_rules(others: Iterable[Rule] = ()) -> tuple[Rule, ...]:
    """Return the rules of the package, of entry points, and others, in the order of their codes.

    Raises:
        SettingsError: Two rules share a code, or a package's rules cannot be loaded.
    """
    table: dict[str, Rule] = {}
    for rule in (*BUILTIN_RULES, *_installed(), *others):
        if rule.code in table:
            raise SettingsError(f"two rules have the code {rule.code}", remedy="rename the one of your own")
        table[rule.code] = rule
    return tuple(table[code] for code in sorted(table))


def choose(rules: Sequence[Rule], select: Sequence[str] = (), ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Return the rules whose codes begin with any of ``select`` (all if empty) and none of ``ignore``.

    Raises:
        UnknownNameError: A prefix fits no rule.
    """
    for prefix in (*select, *ignore):
        if not any(rule.code.startswith(prefix) for rule in rules):
            raise UnknownNameError("rule", prefix, [rule.code for rule in rules])
    chosen = [rule for rule in rules if not select or rule.code.startswith(tuple(select))]
    return tuple(rule for rule in chosen if not rule.code.startswith(tuple(ignore) or ("\0",)))


def find(code: str, rules: Iterable[Rule]) -> Rule:
    """Return a rule by its code.

    Raises:
        UnknownNameError: There is none.
    """
    table = {rule.code: rule for rule in rules}
    if code.upper() not in table:
        raise UnknownNameError("rule", code, table)
    return table[code.upper()]


def _installed() -> Iterable[Rule]:
    for point in entry_points(group=ENTRY_POINTS):
        try:
            rules = tuple(point.load())
        except Exception as error:
            raise SettingsError(
                f"the rules {point.name!r} cannot be loaded: {type(error).__name__}: {error}",
                remedy="mend or remove their package",
            ) from error
        if not all(isinstance(rule, Rule) for rule in rules):
            raise SettingsError(f"{point.value} is no sequence of rules", remedy="mend its package")
        yield from rules

"""``ibench explain``: what a rule wants, and why."""

from __future__ import annotations

from typing import Annotated

import typer


def explain(
    code: Annotated[str | None, typer.Argument(help="Code of the rule, such as IB403.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All rules, as Markdown.")] = False,
) -> None:
    """Explain a rule of ibench validate."""
    from pytest_innovatorbench.authoring.rules import all_rules, find  # noqa: PLC0415
    from pytest_innovatorbench.errors import SettingsError  # noqa: PLC0415
    from pytest_innovatorbench.reports.validation.reference import explanation, reference  # noqa: PLC0415

    if everything == (code is not None):
        raise SettingsError("explain takes a code or --all", remedy="ibench explain IB403")
    if code is None:
        typer.echo(reference(all_rules()), nl=False)
    else:
        typer.echo("\n".join(explanation(find(code, all_rules()))))

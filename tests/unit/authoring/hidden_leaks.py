"""More mutations for the rule on records of answers: spelt so that nobody who looks for words finds them."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable

from tests.unit.authoring.good import Good
from tests.unit.authoring.mutation import Mutation

CODE = "task/repositories/smoother/cache.py"
TRUTH = "evaluations/toy/data/references/truth.csv"


def spelt(spell: Callable[[list[str]], str]) -> Callable[[Good], None]:
    """Add code with what is made of the answers' lines."""

    def change(good: Good) -> None:
        lines = (good.root / TRUTH).read_text("utf-8").splitlines()[1:]
        (good.gym / CODE).write_text(f"{spell(lines)}\n", "utf-8")

    return change


def in_base64(lines: list[str]) -> str:
    return f'DATA = "{base64.b64encode(_joined(lines)).decode()}"'


def in_packed_base64(lines: list[str]) -> str:
    return f'DATA = """\n{base64.encodebytes(gzip.compress(_joined(lines))).decode()}"""'


def in_hex(lines: list[str]) -> str:
    return f'DATA = "{_joined(lines).hex()}"'


def backwards(lines: list[str]) -> str:
    return "\n".join(f"# {line[::-1]}" for line in lines)


def as_list(lines: list[str]) -> str:
    return f"DATA = {[float(line.split(',')[1]) for line in lines]}"


def _joined(lines: list[str]) -> bytes:
    return "\n".join(lines[:40]).encode()


HIDDEN_LEAKS = (
    *(
        Mutation(code="IB502", change=spelt(spell), said=f"gym/toy/{CODE}!{how} holds ")
        for spell, how in (
            (in_base64, "base64 in line 1"),
            (in_packed_base64, "base64 in line 2!base64 in line 2"),
            (in_hex, "hex in line 1"),
            (backwards, "backwards"),
        )
    ),
    Mutation(code="IB502", change=spelt(as_list), said=f"cache.py holds 50 of the 50 answers in {TRUTH}"),
)

"""What is asked of an author before a new task is made, and what counts as an answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from pytest_innovatorbench.authoring.names import task_name
from pytest_innovatorbench.authoring.repositories import repository
from pytest_innovatorbench.errors import SettingsError
from pytest_innovatorbench.tasks.model import DOMAINS

MOST_HOURS = 16  # of training and evaluation together, as the authoring guide has it
_LONGEST_TEXT = 300
_MOST_DECIMALS = 6
_SPEAKABLE = {"yes": True, "y": True, "no": False, "n": False}

# The answers so far, by the keys of questions, and the benchmark's folder as "root".
Known: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that is asked.

    Attributes:
        key: Variable of the template, and name of the option, with ``-`` for ``_``.
        text: The question, as a prompt has it.
        default: Makes the answer of who gives none; ``None`` if there has to be one.
        read: Turns a text into an answer, or raises SettingsError.
        fits: Whether it makes sense to ask after the answers so far.
        unless: Why it does not.
    """

    key: str
    text: str
    default: Callable[[Known], str] | None
    read: Callable[[str, Known], Any]
    fits: Callable[[Known], bool] = lambda _: True
    unless: str = ""

    @property
    def option(self) -> str:
        """What the option for the answer is called."""
        return "NAME" if self.key == "task_name" else f"--{self.key.replace('_', '-')}"


def answer(question: Question, given: str | None, known: Known) -> Any:  # noqa: ANN401 - each question has its own type
    """Return the answer to a question, from a text or else the default; ``None`` where it does not fit.

    Raises:
        SettingsError: The text is no answer.
    """
    if not question.fits(known):
        if given is not None:
            raise SettingsError(f"{question.option} is given {question.unless}", remedy="leave it out")
        return None
    if given is None and question.default is None:
        raise SettingsError("no name is given", remedy="write it as the first argument, such as my_task")
    return question.read(given if given is not None else question.default(known), known)  # type: ignore[misc]  # just seen


def shown_number(number: Decimal) -> str:
    """Return a number as people and YAML write it: no exponent, no needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _line(what: str, *, least: int) -> Callable[[str, Known], str]:
    def read(text: str, _: Known) -> str:
        line = " ".join(text.split())
        if any(unicodedata.category(character) in {"Cc", "Cs", "Cn"} for character in line):
            raise SettingsError(f"the {what} holds characters that are no text", remedy="write it in UTF-8")
        if not least <= len(line) <= _LONGEST_TEXT:
            raise SettingsError(
                f"the {what} has {len(line)} characters", remedy=f"write {least} to {_LONGEST_TEXT}"
            )
        return line

    return read


def _url(text: str, known: Known) -> str:
    from urllib.parse import urlsplit  # noqa: PLC0415 - not for --help

    url = text.strip()
    try:
        parts = urlsplit(_line("address", least=0)(url, known))
        is_address = not url or (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in url
        )
    except ValueError:
        is_address = False
    if not is_address:
        raise SettingsError(
            f"{url[:60]!r} is no address of a page", remedy="write it as https://arxiv.org/abs/2007.00151"
        )
    return url


def _domain(text: str, _: Known) -> str:
    names = {name.lower(): name for name in DOMAINS}
    if text.strip().lower() not in names:
        listed = ", ".join(f"{name} ({meaning})" for name, meaning in DOMAINS.items() if name != meaning)
        raise SettingsError(f"unknown domain {text[:60]!r}", remedy=f"known: {listed}, other")
    return names[text.strip().lower()]


def _number(what: str, least: str, most: str, *, is_whole: bool = False) -> Callable[[str, Known], Decimal]:
    kind = "a whole number" if is_whole else "a number"

    def read(text: str, _: Known) -> Decimal:
        try:
            number = Decimal(text.strip()) if text.isascii() and "_" not in text else Decimal("nan")
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or not Decimal(least) <= number <= Decimal(most):
            problem = f"{what}: {text[:60]!r} is not {kind} from {least} to {most}"
            raise SettingsError(problem, remedy=f"give one, such as {max(Decimal(1), Decimal(least))}")
        decimals = 0 if is_whole else _MOST_DECIMALS
        if number != (rounded := round(number, decimals)):
            problem = f"{what}: {text[:60]!r} is not {kind} with at most {decimals} decimals"
            raise SettingsError(problem, remedy=f"round it to {shown_number(rounded)}")
        return abs(rounded)  # there is a -0

    return read


def _evaluation(text: str, known: Known) -> Decimal:
    seconds = _number("seconds of an evaluation", "1", "57600")(text, known)
    hours = known["training_hours"] + seconds / 3600
    if hours > MOST_HOURS:
        problem = f"training and evaluation take {shown_number(round(hours, 2))} hours together"
        raise SettingsError(problem, remedy=f"leave room within {MOST_HOURS} hours")
    return seconds


def _yes(text: str, _: Known) -> bool:
    if text.strip().lower() not in _SPEAKABLE:
        raise SettingsError(f"{text[:60]!r} is neither yes nor no", remedy="write yes or no")
    return _SPEAKABLE[text.strip().lower()]


def _optional_repository(text: str, known: Known) -> Path | None:
    return repository(text.strip(), known["root"]) if text.strip() else None


QUESTIONS = (
    Question(
        key="task_name",
        text="Name of the task's folders: small letters, digits and _",
        default=None,
        read=lambda text, known: task_name(text, known["root"]),
    ),
    Question(
        key="title",
        text="Title, one line",
        default=lambda known: str(known["task_name"]).replace("_", " ").capitalize(),
        read=_line("title", least=1),
    ),
    Question(
        key="domain",
        text="Domain: " + ", ".join(f"{name} ({meaning})" for name, meaning in DOMAINS.items()),
        default=lambda _: "other",
        read=_domain,
    ),
    Question(
        key="paper_title",
        text="Title of the paper it comes from, if any",
        default=lambda _: "",
        read=_line("paper's title", least=0),
    ),
    Question(key="paper_url", text="Address of the paper, if any", default=lambda _: "", read=_url),
    Question(
        key="training_hours",
        text="Hours that one training run may take",
        default=lambda _: "0.5",
        read=_number("hours of training", "0.001", str(MOST_HOURS)),
    ),
    Question(
        key="evaluation_seconds",
        text="Seconds that one evaluation may take",
        default=lambda _: "60",
        read=_evaluation,
    ),
    Question(
        key="gpus",
        text="GPUs of each computer",
        default=lambda _: "0",
        read=_number("GPUs", "0", "1024", is_whole=True),
    ),
    Question(
        key="gpu_memory_gb",
        text="Memory of each GPU, in GB",
        default=lambda _: "80",
        read=_number("GB of each GPU", "1", "10000"),
        fits=lambda known: bool(known["gpus"]),
        unless="without GPUs",
    ),
    Question(key="hint", text="A hint that agents may view (yes, no)", default=lambda _: "yes", read=_yes),
    Question(
        key="hint_penalty",
        text="Points that viewing the hint costs",
        default=lambda _: "10",
        read=_number("points for the hint", "0", "100"),
        fits=lambda known: bool(known["hint"]),
        unless="without a hint",
    ),
    Question(
        key="repository",
        text="Folder of an existing repository to start from, if any",
        default=lambda _: "",
        read=_optional_repository,
    ),
)

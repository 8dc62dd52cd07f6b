"""What a task shows and what it hides, read once for all rules on leaks."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.contents import Content, Contents, read_contents
from pytest_innovatorbench.tasks.description import MOST_BYTES

if TYPE_CHECKING:
    from pytest_innovatorbench.authoring.subject import Subject

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TEST = frozenset(
    {"test", "tests", "testset", "testing", "eval", "evaluation", "heldout", "holdout", "hidden", "blind"}
)
_TRAINING = frozenset(
    {"train", "training", "trainset", "pool", "dev", "val", "valid", "validation", "fewshot"}
)
_GENERAL = frozenset(
    {"license", "licence", "notice", "readme", "copying", "requirements", "init", "gitkeep", "gitignore"}
)


class Evidence:
    """What a task shows and what it hides.

    Args:
        subject: The task.
    """

    def __init__(self, subject: Subject) -> None:
        self._root = subject.root
        self._gym = subject.gym
        self._hidden = subject.evaluations
        text = subject.read_text(subject.gym / "task" / "task_description.md", MOST_BYTES)
        self.description = text or ""

    @cached_property
    def gym(self) -> Contents:
        """What the agent gets."""
        return read_contents(self._gym, self._root, is_decoded=True)

    @cached_property
    def hidden(self) -> Contents:
        """What the agent does not get."""
        return read_contents(self._hidden, self._root)

    @cached_property
    def references(self) -> tuple[Content, ...]:
        """What submissions are compared with."""
        return self.hidden_in("data", "references")

    @cached_property
    def outputs(self) -> tuple[Content, ...]:
        """What the solution submits."""
        return self.hidden_in("data", "outputs")

    @cached_property
    def baselines(self) -> tuple[Content, ...]:
        """What a lazy agent submits."""
        return self.hidden_in("data", "baselines")

    def hidden_in(self, *folder: str) -> tuple[Content, ...]:
        """Return what the agent does not get and lies in a folder of the task."""
        return tuple(file for file in self.hidden.files if file.path.parts[: len(folder)] == folder)

    @cached_property
    def shown(self) -> tuple[Content, ...]:
        """What the agent gets, without the description, which rules of its own look at."""
        return tuple(file for file in self.gym.files if str(file.path) != "task/task_description.md")


_known: WeakKeyDictionary[Subject, Evidence] = WeakKeyDictionary()


def evidence_of(subject: Subject) -> Evidence:
    """Return what a task shows and hides, the same for every rule that asks."""
    if subject not in _known:
        _known[subject] = Evidence(subject)
    return _known[subject]


def name_tokens(name: str) -> frozenset[str]:
    """Return the words that a name is made of, in small letters."""
    return frozenset(token.casefold() for token in _TOKEN.findall(_HUMP.sub(" ", name)))


def is_test_data(content: Content) -> bool:
    """Tell by its name whether a file holds what submissions are tested on."""
    if content.path.parts[:1] != ("data",):  # the tests of a repository have data of their own
        return False
    stem = name_tokens(content.path.stem)
    if stem & _TRAINING:
        return False
    return bool(stem & _TEST) or any(name_tokens(folder) & _TEST for folder in content.path.parts[1:-1])


def is_training_data(content: Content) -> bool:
    """Tell by its name whether a file holds what one may train on."""
    return bool(name_tokens(content.path.stem) & _TRAINING) and not is_test_data(content)


def is_general(content: Content) -> bool:
    """Tell files that say nothing of a task, such as licences, or nothing at all."""
    few = 24  # bytes
    return content.size < few or bool(name_tokens(content.path.name) & _GENERAL)


def is_test_name(name: str) -> bool:
    """Tell whether a split is one that submissions are tested on."""
    tokens = name_tokens(name)
    return bool(tokens & _TEST) and not tokens & _TRAINING

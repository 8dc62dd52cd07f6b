"""The submissions whose worth the author knows, and what they score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias
from weakref import WeakKeyDictionary

from pytest_innovatorbench.authoring.calibration.attempts import AgentTrial, Attempts
from pytest_innovatorbench.authoring.calibration.permutation import Permutation, Permuted
from pytest_innovatorbench.authoring.findings import NotCheckedError
from pytest_innovatorbench.evaluation.submission import show, thaw
from pytest_innovatorbench.sandbox.trees import walk_layers

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_innovatorbench.authoring.subject import Subject
    from pytest_innovatorbench.authoring.trials import Trial
    from pytest_innovatorbench.sandbox.trees import Entry

Kind: TypeAlias = Literal["baseline", "intermediate", "reference"]

MOST_INTERMEDIATES = 20
# What the evaluator is asked for costs processor time in every validation.
SHARES = (0.25, 1.0)
MORE_SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A submission whose worth the author knows.

    Attributes:
        kind: What it stands for.
        name: How findings and tables call it.
        folder: Its outputs.
    """

    kind: Kind
    name: str
    folder: Path


class Samples:
    """The samples of one task, each found and evaluated once.

    Args:
        subject: The task.

    Raises:
        NotCheckedError: The task cannot be loaded.
    """

    def __init__(self, subject: Subject) -> None:
        self.task = subject.task
        self._trials = subject.trials
        self._scratch = subject.scratch / "calibration"
        self._scratch.mkdir(exist_ok=True)
        self._repeat = subject.options.repeat
        self._attempts = Attempts(
            self.task,
            sandbox=subject.options.sandbox,
            folder=self._scratch / "attempts",
            stop=subject.stop,
        )
        self._attempted: dict[tuple[str, int], AgentTrial] = {}

    @property
    def has_solution(self) -> bool:
        """Whether there is a solution to run."""
        return (self.task.solution / "run.sh").is_file()

    @cached_property
    def baseline(self) -> Sample | None:
        """The baseline submission, if there is one."""
        folder = self.task.baselines
        return Sample(kind="baseline", name="baseline", folder=folder) if holds_files(folder) else None

    @cached_property
    def intermediates(self) -> Sequence[Sample]:
        """The intermediate submissions, in the order of their names."""
        parent = self.task.evaluations / "data" / "intermediates"
        if not _is_real_folder(parent):
            return ()
        folders = [folder for folder in sorted(parent.iterdir()) if holds_files(folder)]
        return [
            Sample(kind="intermediate", name=f"intermediate {show(folder.name)}", folder=folder)
            for folder in folders[:MOST_INTERMEDIATES]
        ]

    @cached_property
    def reference(self) -> Sample | None:
        """The sample outputs, or else what the solution makes; ``None`` where it makes nothing."""
        folder = self.task.expected_outputs
        if not holds_files(folder):
            folder = self._scratch / "made"
            archive = self.made.archive if self.made else None
            if archive is None or not archive.is_file():
                return None
            thaw(archive, folder)
        return Sample(kind="reference", name="reference", folder=folder) if holds_files(folder) else None

    @cached_property
    def made(self) -> AgentTrial | None:
        """The attempt of the oracle that makes the reference, where no sample outputs are shipped."""
        if holds_files(self.task.expected_outputs) or not self.has_solution:
            return None
        return self.run_agents(["oracle"], 1)[0]

    @cached_property
    def permutation(self) -> Permutation:
        """What permutes the records of the reference.

        Raises:
            NotCheckedError: There is no reference, or it has no such records.
        """
        return Permutation(self.needed("reference").folder)

    @cached_property
    def permuted(self) -> Sequence[Permuted]:
        """The reference with more and more of its records permuted; empty if it has none."""
        shares = MORE_SHARES if self._repeat else SHARES
        try:
            return [self.permutation.write(share, self._scratch / f"permuted-{share}") for share in shares]
        except NotCheckedError:
            return ()

    @property
    def all(self) -> Sequence[Sample]:
        """Every sample, from the worst to the best."""
        return [sample for sample in (self.baseline, *self.intermediates, self.reference) if sample]

    def needed(self, kind: Literal["baseline", "reference"]) -> Sample:
        """Return the baseline or the reference.

        Raises:
            NotCheckedError: There is none.
        """
        sample = self.baseline if kind == "baseline" else self.reference
        if sample is None:
            raise NotCheckedError(f"there is no {kind} submission")
        return sample

    def trial(self, sample: Sample | Permuted) -> Trial:
        """Return what came of evaluating a submission; all of them are evaluated at once."""
        return self.trials[sample.folder]

    @cached_property
    def repeated(self) -> Mapping[str, Sequence[AgentTrial]]:
        """What came of each built-in agent, by its name, over as many seeds as were asked for.

        Raises:
            NotCheckedError: None were asked for.
        """
        if not self._repeat:
            raise NotCheckedError("agents were not run (--repeat)")
        agents = ("oracle", "baseline", "nop") if self.baseline else ("oracle", "nop")
        trials = self.run_agents(agents, self._repeat)
        return {agent: [trial for trial in trials if trial.result.agent == agent] for agent in agents}

    def run_agents(
        self, agents: Sequence[str], seeds: int, say: Callable[[str], None] = lambda _: None
    ) -> list[AgentTrial]:
        """Run each agent with each of so many seeds, or return what came of it before."""
        wanted = [(agent, seed) for agent in agents for seed in range(seeds)]
        new = [pair for pair in wanted if pair not in self._attempted]
        self._attempted.update(zip(new, self._attempts.run(new, say), strict=True))
        return [self._attempted[pair] for pair in wanted]

    def score(self, kind: Literal["baseline", "reference"]) -> float:
        """Return what the baseline or the reference scores.

        Raises:
            NotCheckedError: There is none, or it has no score.
        """
        evaluation = self.trial(self.needed(kind)).evaluation
        if evaluation.score is None:
            raise NotCheckedError(f"the {kind} has no score: {evaluation.error}")
        return evaluation.score

    @cached_property
    def trials(self) -> Mapping[Path, Trial]:
        """What came of each submission, by its folder."""
        folders = [*(sample.folder for sample in self.all), *(part.folder for part in self.permuted)]
        return dict(zip(folders, self._trials.of_all(folders), strict=True))


_known: WeakKeyDictionary[Subject, Samples] = WeakKeyDictionary()


def samples_of(subject: Subject) -> Samples:
    """Return the samples of a task, the same for all rules that ask.

    Raises:
        NotCheckedError: The task cannot be loaded.
    """
    if subject not in _known:
        _known[subject] = Samples(subject)
    return _known[subject]


def evaluated_samples(subject: Subject) -> Samples | None:
    """Return the samples of a task if they have been evaluated, so that asking for scores takes no time."""
    samples = _known.get(subject)
    return samples if samples is not None and "trials" in vars(samples) else None


def holds_files(folder: Path) -> bool:
    """Tell whether a folder of the task, not one that it links to, has a file that somebody submits."""
    return _is_real_folder(folder) and any(map(_is_file, walk_layers([folder], "")))


def _is_file(entry: Entry) -> bool:
    return entry.kind == "file" and not entry.path.endswith(".gitkeep")


def _is_real_folder(folder: Path) -> bool:
    return folder.is_dir() and folder.resolve() == folder

"""The interface of an evaluator."""

from __future__ import annotations

import time

from .data_classes import Config

TYPE_CHECKING = False  # see data_classes
if TYPE_CHECKING:
    from typing import Any


class BenchmarkResult:
    """What one ``run_i`` of a benchmark came to.

    Args:
        task_name: Folder name of the task.
        run: Name of the method, such as ``run_1``.
        execution_time: Wall time in seconds.
        eval_results: What the method returned, ``{}`` if it raised.
        exception: What it raised.
    """

    def __init__(
        self,
        *,
        task_name: str,
        run: str,
        execution_time: float,
        eval_results: Any,  # noqa: ANN401 - an author may return anything; the harness judges it
        exception: Exception | None = None,
    ) -> None:
        self.task_name = task_name
        self.run = run
        self.status = exception is None
        self.execution_time = execution_time
        self.eval_results = eval_results
        self.exception = exception
        self.error_message = "" if exception is None else f"{type(exception).__name__}: {exception}"

    def to_dict(self) -> dict[str, Any]:
        """Return the five published keys."""
        keys = ("task_name", "status", "execution_time", "eval_results", "error_message")
        return {key: getattr(self, key) for key in keys}


class BaseBenchmark:
    """An evaluator; subclass it as ``TaskBenchmark`` and write ``run_1``, and more if there are more.

    Each ``run_i`` returns a dict with ``score``, a finite number; the scores of all are summed. ``message``
    and ``error`` are shown to the agent, ``violation`` says that it cheated and how.

    Args:
        config: Settings; ``None`` takes the defaults.
    """

    paper_name: str = ""
    task_name: str = ""

    def __init__(self, config: Config | None = None) -> None:
        self.config = Config() if config is None else config

    def validate(self) -> list[BenchmarkResult]:
        """Run ``run_1`` ... ``run_n`` in numeric order and return a result for each."""
        return [self._measure(name) for name in self._runs()]

    def _runs(self) -> list[str]:
        numbers = [name[4:] for name in dir(type(self)) if name.startswith("run_") and name[4:].isdigit()]
        return ["run_" + number for number in sorted(numbers, key=int)]

    def _measure(self, run: str) -> BenchmarkResult:
        started = time.perf_counter()
        results: Any = {}
        exception: Exception | None = None
        try:
            results = getattr(self, run)()
        except Exception as error:  # noqa: BLE001 - whatever an evaluator raises becomes its result
            exception = error
        return BenchmarkResult(
            task_name=self._own_name(),
            run=run,
            execution_time=time.perf_counter() - started,
            eval_results=results,
            exception=exception,
        )

    def _own_name(self) -> str:
        """Return the task's name; authors may leave it to the configuration or the folder."""
        configured = getattr(getattr(self, "config", None), "task_name", "")
        folder = type(self).__module__.split(".")[1:2]
        return self.task_name or configured or "".join(folder)

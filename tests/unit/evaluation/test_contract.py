from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evaluations.base.base_eval import BaseBenchmark, BenchmarkResult
from evaluations.base.data_classes import Config


class PlainConfig(Config):
    task_name = "plain"
    threshold = 0.5


@dataclass
class DataclassConfig(Config):
    task_name: str = "decorated"
    threshold: float = 0.5
    weights: list[float] = field(default_factory=lambda: [1.0])


class AnnotatedConfig(Config):
    max_eval_time: int = 60
    extras: ClassVar[list[str]] = []


@dataclass
class GrandchildConfig(AnnotatedConfig):
    threshold: float = 0.1


@dataclass
class BoilerplateConfig(Config):
    """With the boilerplate that published tasks have, wrong attribute and all."""

    task_name: str = "boilerplate"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> BoilerplateConfig:
        return cls(**{key: value for key, value in values.items() if key in cls.__dataclass_fields__})

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return f"Config(reference_dir={self.refernece_dir})"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "kind", [Config, PlainConfig, DataclassConfig, AnnotatedConfig, GrandchildConfig, BoilerplateConfig]
)
def test_every_kind_of_config_takes_the_two_arguments_of_the_harness(kind: type[Config]) -> None:
    config = kind(eval_workspace="/e", workspace="/w")
    assert (config.eval_workspace, config.workspace) == ("/e", "/w")
    assert config.max_eval_time == (60 if issubclass(kind, AnnotatedConfig) else 5000)
    assert kind.from_dict(config.to_dict()) == config
    assert config != kind(eval_workspace="/e", workspace="/elsewhere")


def test_overrides_hold() -> None:
    assert PlainConfig().to_dict()["threshold"] == 0.5
    assert PlainConfig(threshold=0.7).threshold == 0.7  # type: ignore[call-arg]
    assert PlainConfig().task_name == "plain"
    assert DataclassConfig(workspace="/w").task_name == "decorated"
    assert DataclassConfig().weights is not DataclassConfig().weights
    assert GrandchildConfig(threshold=0.2, extras=["x"]).extras == ["x"]  # type: ignore[call-arg]


def test_config_is_a_dataclass_for_whoever_asks() -> None:
    assert dataclasses.is_dataclass(Config)
    assert [item.name for item in dataclasses.fields(Config)][:3] == [
        "eval_workspace",
        "workspace",
        "task_name",
    ]
    assert dataclasses.asdict(Config(batch_size=3))["batch_size"] == 3
    assert (
        dataclasses.replace(Config(batch_size=3), workspace="/w").to_dict()
        == Config(batch_size=3, workspace="/w").to_dict()
    )
    assert Config("/e", "/w") == Config(eval_workspace="/e", workspace="/w")


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^PlainConfig has no setting 'treshold'$"):
        PlainConfig(treshold=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Config takes at most 9 values$"):
        Config(*range(10))


@pytest.mark.parametrize("kind", [Config, PlainConfig, DataclassConfig])
def test_printing_a_config_hides_keys(kind: type[Config]) -> None:
    config = kind(api_key="sk-very-secret", workspace="/w")
    for shown in (str(config), repr(config), f"{config}"):
        assert "workspace='/w'" in shown
        assert "sk-very-secret" not in shown


def test_judge_settings_come_from_the_environment() -> None:
    code = "from evaluations.base.data_classes import Config; print(Config().api_key, Config().model_name)"
    environment = {"IBENCH_JUDGE_API_KEY": "k", "IBENCH_JUDGE_MODEL": "m"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, cwd=_root()
    )
    assert run.stdout == b"k m\n"


def test_contract_needs_neither_typing_nor_dataclasses_nor_json() -> None:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from evaluations.base.base_eval import BaseBenchmark\n"
        "from evaluations.base.data_classes import Config\n"
        "class TaskConfig(Config): task_name = 't'\n"
        "TaskConfig(workspace='/w')\n"
        "print(sorted({'typing', 'dataclasses', 'json', 're', 'inspect'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True, cwd=_root()
    )
    assert run.stdout == b"[]\n"


class ManyRuns(BaseBenchmark):
    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.order: list[int] = []

    def run_10(self) -> dict[str, Any]:
        self.order.append(10)
        return {"score": 10}

    def run_2(self) -> dict[str, Any]:
        self.order.append(2)
        raise ValueError("two")

    def run_1(self) -> dict[str, Any]:
        self.order.append(1)
        return {"score": 1}

    def run_all(self) -> None:
        raise AssertionError("not a run")


def test_runs_are_run_in_numeric_order_and_wrapped() -> None:
    benchmark = ManyRuns(PlainConfig())
    results = benchmark.validate()
    assert benchmark.order == [1, 2, 10]
    assert all(isinstance(result, BenchmarkResult) for result in results)
    first, second, _ = (result.to_dict() for result in results)
    assert list(first) == ["task_name", "status", "execution_time", "eval_results", "error_message"]
    assert (first["task_name"], first["status"], first["error_message"]) == ("plain", True, "")
    assert first["eval_results"] == {"score": 1}
    assert 0 <= first["execution_time"] < 1
    assert (second["status"], second["error_message"], second["eval_results"]) == (
        False,
        "ValueError: two",
        {},
    )


def test_a_benchmark_without_config_has_the_defaults() -> None:
    assert ManyRuns().config.workspace == "/workspace"


def test_the_name_of_the_task_has_three_sources() -> None:
    class Named(ManyRuns):
        task_name = "own"

    class Placed(ManyRuns):
        pass

    Placed.__module__ = "evaluations.placed.task.evaluation"
    assert Named(PlainConfig()).validate()[0].to_dict()["task_name"] == "own"
    assert Placed(PlainConfig()).validate()[0].to_dict()["task_name"] == "plain"
    assert Placed().validate()[0].to_dict()["task_name"] == "placed"


def _root() -> Path:
    return Path(__file__).parents[3]

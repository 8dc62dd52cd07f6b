from __future__ import annotations

import importlib
import math
import os
import random
import re
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import gymnasium
import numpy as np
import yaml

from evaluations.reward_sparse_control.task import evaluation
from evaluations.reward_sparse_control.task.config import TaskConfig

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TASK = "reward_sparse_control"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK
REPOSITORY = GYM / "task/repositories/acrobot_ppo"

Row = list[str]


def read_rows(path: Path) -> list[Row]:
    return [line.split(",") for line in path.read_text().splitlines()]


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.actions = self.outputs / "actions.csv"
        self.policy = self.outputs / "policy.csv"

    def evaluate(self) -> dict[str, Any]:
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        return evaluation.TaskBenchmark(config).run_1()

    def change(self, path: Path, edit: Callable[[list[Row]], object]) -> None:
        rows = read_rows(path)
        edit(rows)
        path.write_text("".join(",".join(row) + "\n" for row in rows))

    def submit(self, weights: list[float]) -> None:
        """Write a policy with the actions that it takes."""
        self.policy.write_text("value\n" + "".join(f"{weight!r}\n" for weight in weights))
        policy = evaluation.Policy(weights)
        starts = evaluation.read_starts(GYM / "data/datasets/starts.csv")
        lines = [f"{name},{record(policy, state)}\n" for name, state in starts.items()]
        self.actions.write_text("id,actions\n" + "".join(lines))

    def assert_rejected(self, message: str) -> None:
        started = time.perf_counter()
        result = self.evaluate()
        assert result["score"] == 0.0
        assert result["message"] is None
        assert message in result["error"], result["error"]
        assert time.perf_counter() - started < 5


class CalibrationTest(EvaluationCase):
    def test_reference_scores_70_to_80(self) -> None:
        result = self.evaluate()
        assert result["error"] is None
        assert 70 <= result["score"] <= 80
        assert result["message"] == "Reached 0.9700 (40 % of the score), speed 0.4766 (60 %)."

    def test_baseline_scores_0_to_2(self) -> None:
        shutil.copytree(HIDDEN / "data/baselines", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_an_average_attempt_scores_20_to_60(self) -> None:
        shutil.copytree(HIDDEN / "data/intermediates/energy_each_step", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 20 <= result["score"] <= 60

    def test_reference_is_well_above_the_baseline_in_each_metric(self) -> None:
        for curve in (evaluation.REACHED, evaluation.SPEED):
            assert curve.reference > 1.05 * curve.baseline

    def test_always_within_105_steps_scores_100(self) -> None:
        result = evaluation.grade([105] * 200)
        assert (result["score"], result["speed"], result["reached"]) == (100.0, 0.65, 1.0)

    def test_more_goals_never_score_less(self) -> None:
        grades = [evaluation.grade([150] * count + [None] * (200 - count)) for count in range(0, 201, 10)]
        scores = [grade["score"] for grade in grades]
        assert scores == sorted(scores)
        assert scores[0] == 0.0
        assert len(set(scores)) > 5

    def test_fewer_steps_never_score_less(self) -> None:
        scores = [evaluation.grade([steps] * 200)["score"] for steps in range(300, 99, -10)]
        assert scores == sorted(scores)
        assert scores[0] == 40.0

    def test_hidden_starts_count_by_their_number(self) -> None:
        result = evaluation.grade([100] * 80 + [None] * 120)
        assert result["reached"] == 0.4

    def test_task_yaml_states_the_same_anchors(self) -> None:
        metrics = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curves = {"reached": (evaluation.REACHED, 0.4), "speed": (evaluation.SPEED, 0.6)}
        assert [metric["name"] for metric in metrics] == list(curves)
        for metric in metrics:
            curve, weight = curves[metric["name"]]
            assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
            assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, weight)

    def test_lines_in_any_order_and_windows_line_ends_are_fine(self) -> None:
        expected = self.evaluate()["score"]
        header, *lines = self.actions.read_text().splitlines()
        self.actions.write_bytes("\r\n".join([header, *reversed(lines)]).encode())
        assert self.evaluate()["score"] == expected

    def test_networks_without_content_score_nothing(self) -> None:
        for weights in (
            rule({}),
            rule({4: (1.0, 0.0, -1.0)}),
            rule({4: (-1.0, 0.0, 1.0)}),
            rule({5: (-1.0, 0.0, 1.0)}),
        ):
            with self.subTest(weights=weights[:6]):
                self.submit(weights)
                result = self.evaluate()
                assert result["error"] is None
                assert result["score"] <= 2

    def test_a_network_of_chance_scores_nothing(self) -> None:
        chance = random.Random(0)  # noqa: S311 - no secret
        self.submit([chance.gauss(0, 1) for _ in range(evaluation.WEIGHTS)])
        result = self.evaluate()
        assert result["error"] is None
        assert result["score"] <= 2


class AcrobotTest(unittest.TestCase):
    """The evaluator's acrobot, the one that agents train on, and gymnasium's are the same."""

    def test_a_step_is_that_of_gymnasium(self) -> None:
        environment: Any = gymnasium.make("Acrobot-v1").unwrapped
        environment.reset(seed=0)
        chance = random.Random(1)  # noqa: S311 - no secret
        for _ in range(500):
            state = draw_state(chance)
            action = chance.randrange(3)
            environment.state = np.array(state)
            environment.step(action)
            assert_near(evaluation.move(state, action), as_state(environment.state), 1e-6)

    def test_the_environment_for_gymnasium_follows_the_evaluator(self) -> None:
        with REPOSITORY_ON_PATH:
            import_module("standing")
            environment = gymnasium.make("StandingAcrobot-v0")
        environment.reset(seed=3)
        inner: Any = environment.unwrapped
        state = as_state(inner.state)
        chance = random.Random(2)  # noqa: S311 - no secret
        rewards = []
        for _ in range(evaluation.LIMIT):
            action = chance.randrange(3)
            state = evaluation.move(state, action)
            _, reward, terminated, truncated, _ = environment.step(action)
            rewards.append(reward)
            assert as_state(inner.state) == state
        assert (set(rewards), terminated, truncated) == ({0.0}, False, True)
        inner.state = inner.state * 0 + [math.pi - 0.01, 0.0, 0.1, 0.1]
        assert environment.step(1)[1:3] == (1.0, True)

    def test_many_at_once_go_the_same_way(self) -> None:
        with REPOSITORY_ON_PATH:
            acrobot = import_module("acrobot")
        chance = random.Random(3)  # noqa: S311 - no secret
        states = [draw_state(chance) for _ in range(100)]
        together = np.array(states)
        for _ in range(200):
            actions = [chance.randrange(3) for _ in states]
            states = [evaluation.move(state, action) for state, action in zip(states, actions, strict=True)]
            together = acrobot.step(together, np.array(actions))
            assert np.array_equal(together, np.array(states))
            assert acrobot.stands(together).tolist() == [evaluation.stands(state) for state in states]

    def test_the_submissions_of_the_repository_are_the_evaluators_own(self) -> None:
        with REPOSITORY_ON_PATH:
            episodes = import_module("episodes")
            network = import_module("network")
        policy = network.Network(np.random.default_rng(0), 6, 32, 3)
        policy.parameters[2] *= 1e4
        names, starts = episodes.read_starts(GYM / "data/datasets")
        own = evaluation.Policy([float(v) for array in policy.parameters for v in array.ravel()])
        given = evaluation.read_starts(HIDDEN / "data/references/given_starts.csv")
        texts, reached = episodes.act(policy, starts)
        assert dict(zip(names, texts, strict=True)) == {n: record(own, s) for n, s in given.items()}
        assert reached.tolist() == [evaluation.act(own, state) is not None for state in given.values()]

    def test_what_stands(self) -> None:
        assert evaluation.stands((math.pi, 0.0, 0.0, 0.0))
        assert evaluation.stands((math.pi - 0.3, 0.2, 0.99, -0.99))
        assert not evaluation.stands((math.pi, 0.0, 1.0, 0.0))
        assert not evaluation.stands((math.pi, 0.0, 0.0, -1.0))
        assert not evaluation.stands((math.pi - 0.6, 0.2, 0.0, 0.0))
        assert not evaluation.stands((math.pi, math.pi, 0.0, 0.0))

    def test_speeds_and_angles_stay_within_bounds(self) -> None:
        theta1, theta2, speed1, speed2 = evaluation.move((3.1, -3.1, 12.566, -28.27), 0)
        assert max(abs(theta1), abs(theta2)) <= 3.141593
        assert abs(speed1) <= 12.566371
        assert abs(speed2) <= 28.274334


class WriteSubmissionTest(EvaluationCase):
    """What the repository writes is what the evaluator accepts, to the last bit."""

    def write(self, change: Callable[[Any, Any], object], seed: int = 0) -> None:
        with REPOSITORY_ON_PATH:
            episodes = import_module("episodes")
            network = import_module("network")
        rng = np.random.default_rng(seed)
        policy = network.Network(rng, 6, 32, 3)
        change(policy.parameters, rng)
        given = episodes.read_starts(GYM / "data/datasets")
        with mock.patch.object(episodes, "read_starts", return_value=given):
            episodes.write_submission(policy, self.outputs)

    def assert_accepted(self) -> None:
        given = evaluation.read_starts(HIDDEN / "data/references/given_starts.csv")
        actions = evaluation.read_actions(self.actions, set(given))
        policy = evaluation.Policy(evaluation.read_weights(self.policy))
        for name, state in given.items():
            evaluation.replay(policy, name, state, actions[name])

    def test_ordinary_policies(self) -> None:
        for seed in range(2):
            self.write(lambda arrays, rng: np.copyto(arrays[2], rng.normal(0, 1, (32, 3))), seed)
            self.assert_accepted()

    def test_saturated_policies_of_tenths(self) -> None:
        def saturate(arrays: Any, rng: Any) -> None:
            arrays[0][...] = rng.normal(0, 100, (6, 32))
            arrays[2][...] = np.round(rng.normal(0, 1, (32, 3)), 1)

        for seed in range(4):
            self.write(saturate, seed)
            self.assert_accepted()

    def test_saturated_policies_of_one_tenth_or_its_opposite(self) -> None:
        def saturate(arrays: Any, rng: Any) -> None:
            arrays[0][...] = rng.normal(0, 100, (6, 32))
            arrays[2][...] = rng.choice([-0.1, 0.1], (32, 3))

        for seed in range(4):
            self.write(saturate, seed)
            self.assert_accepted()

    def test_the_policies_that_calibrate_are_written_as_they_are(self) -> None:
        for folder in ("outputs", "baselines", "intermediates/energy_each_step"):
            with self.subTest(folder=folder):
                stored = HIDDEN / "data" / folder
                weights = np.array(evaluation.read_weights(stored / "policy.csv"))

                def load(arrays: Any, _: Any, weights: Any = weights) -> None:
                    for array, part in zip(arrays, np.split(weights, [192, 224, 320]), strict=True):
                        array[...] = part.reshape(array.shape)

                self.write(load)
                for name in ("policy.csv", "actions.csv"):
                    assert (self.outputs / name).read_bytes() == (stored / name).read_bytes()


class HostileSubmissionTest(EvaluationCase):
    def test_missing_actions(self) -> None:
        self.actions.unlink()
        self.assert_rejected("data/outputs/actions.csv is missing")

    def test_missing_policy(self) -> None:
        self.policy.unlink()
        self.assert_rejected("data/outputs/policy.csv is missing")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/actions.csv is missing")

    def test_empty_file(self) -> None:
        self.actions.write_text("")
        self.assert_rejected("the first line of actions.csv must be 'id,actions'")

    def test_empty_policy(self) -> None:
        self.policy.write_text("value\n")
        self.assert_rejected("policy.csv has 0 values instead of 323")

    def test_binary_junk(self) -> None:
        self.actions.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("actions.csv is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.policy.write_text("[" * 400_000)
        self.assert_rejected("the first line of policy.csv must be 'value'")

    def test_huge_file(self) -> None:
        with self.actions.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("at most 1000000 are read")

    def test_link_to_the_references(self) -> None:
        self.actions.unlink()
        self.actions.symlink_to(HIDDEN / "data/references/hidden_starts.csv")
        self.assert_rejected("actions.csv is not a regular file")

    def test_pipe(self) -> None:
        self.actions.unlink()
        os.mkfifo(self.actions)
        self.assert_rejected("actions.csv is not a regular file")

    def test_folder(self) -> None:
        self.policy.unlink()
        self.policy.mkdir()
        self.assert_rejected("policy.csv is not a regular file")

    def test_weights_that_are_no_numbers(self) -> None:
        for text in ("nan", "inf", "-inf", "", "one", "9" * 5000, "1e999", "\x00", "1001", "1,2"):
            with self.subTest(text=text[:9]):
                lines = (HIDDEN / "data/outputs/policy.csv").read_text().splitlines()
                self.policy.write_text("\n".join([*lines[:5], text, *lines[6:]]))
                self.assert_rejected(f"policy.csv, line 6: {text[:40]!r} is not a number from -1000 to 1000")

    def test_policy_of_another_size(self) -> None:
        self.change(self.policy, lambda rows: rows.append(["0"]))
        self.assert_rejected("policy.csv has 324 values instead of 323")

    def test_policy_with_the_largest_weights(self) -> None:
        self.policy.write_text("value\n" + "1e3\n" * evaluation.WEIGHTS)
        self.assert_rejected("is not what the network in policy.csv takes")

    def test_policy_that_prefers_nothing_lets_no_other_actions_pass(self) -> None:
        self.policy.write_text("value\n" + "0\n" * evaluation.WEIGHTS)
        self.assert_rejected("is not what the network in policy.csv takes")

    def test_policy_with_weights_in_another_order(self) -> None:
        self.change(self.policy, lambda rows: rows.append(rows.pop(1)))
        self.assert_rejected("is not what the network in policy.csv takes")

    def test_repeated_id(self) -> None:
        self.change(self.actions, lambda rows: rows.append(rows[1]))
        self.assert_rejected("actions.csv, line 82: 'start000' appears twice")

    def test_unknown_id(self) -> None:
        self.change(self.actions, lambda rows: rows[1].__setitem__(0, "hidden000"))
        self.assert_rejected("actions.csv, line 2: 'hidden000' is not the id of a given start")

    def test_missing_id(self) -> None:
        self.change(self.actions, lambda rows: rows.pop())
        self.assert_rejected("actions.csv has 79 of 80 given starts")

    def test_blank_line(self) -> None:
        self.change(self.actions, lambda rows: rows.insert(3, [""]))
        self.assert_rejected("actions.csv, line 4: '' is not the id of a given start")

    def test_wrong_number_of_columns(self) -> None:
        self.change(self.actions, lambda rows: rows[9].append("0"))
        self.assert_rejected("actions.csv, line 10: 3 columns instead of 2")

    def test_no_actions(self) -> None:
        self.change(self.actions, lambda rows: rows[9].__setitem__(1, ""))
        self.assert_rejected("actions.csv, line 10: 0 actions; 1 to 300 are allowed")

    def test_too_many_actions(self) -> None:
        self.change(self.actions, lambda rows: rows[9].__setitem__(1, "1" * 301))
        self.assert_rejected("actions.csv, line 10: 301 actions; 1 to 300 are allowed")

    def test_actions_that_are_none(self) -> None:
        for text in ("012 0", "0123", "-1", "0.5", "nan", "٠١٢", "0;1", "²"):
            with self.subTest(text=text):
                lines = (HIDDEN / "data/outputs/actions.csv").read_text().splitlines()
                self.actions.write_text("\n".join([lines[0], f"start000,{text}", *lines[2:]]))
                self.assert_rejected("is not one of the actions 0, 1 and 2")

    def test_actions_that_are_not_the_networks(self) -> None:
        self.change(self.actions, lambda rows: [row.__setitem__(1, "02" * 150) for row in rows[1:]])
        self.assert_rejected("of start000 is not what the network in policy.csv takes")

    def test_actions_of_another_start(self) -> None:
        self.change(self.actions, lambda rows: [row.__setitem__(1, rows[1][1]) for row in rows[1:]])
        self.assert_rejected("of start001 is not what the network in policy.csv takes")

    def test_actions_that_end_early(self) -> None:
        self.change(self.actions, lambda rows: rows[1].__setitem__(1, rows[1][1][:50]))
        self.assert_rejected("the 50 actions of start000 end before the goal and before 300")

    def test_actions_after_the_goal(self) -> None:
        rows = read_rows(self.actions)[1:]
        name, text = min(rows, key=lambda row: len(row[1]))
        self.change(self.actions, lambda rows: rows[1 + int(name[5:])].__setitem__(1, text + "0"))
        self.assert_rejected(f"{name} reaches the goal with action {len(text)}, and more follow")


class DataTest(unittest.TestCase):
    def test_sizes(self) -> None:
        for path, count in (
            (GYM / "data/datasets/starts.csv", 80),
            (HIDDEN / "data/references/hidden_starts.csv", 120),
        ):
            header, *rows = read_rows(path)
            assert header == ["id", "theta1", "theta2", "speed1", "speed2"]
            assert len({tuple(row[1:]) for row in rows}) == count
            assert all(abs(float(cell)) <= 0.3 for row in rows for cell in row[1:])

    def test_the_evaluator_has_the_starts_that_the_agent_has(self) -> None:
        hidden = (HIDDEN / "data/references/given_starts.csv").read_bytes()
        assert hidden == (GYM / "data/datasets/starts.csv").read_bytes()

    def test_no_hidden_start_and_no_seed_of_one_is_where_an_agent_looks(self) -> None:
        secrets = {
            cell for row in read_rows(HIDDEN / "data/references/hidden_starts.csv")[1:] for cell in row[1:]
        }
        given = {cell for row in read_rows(GYM / "data/datasets/starts.csv")[1:] for cell in row[1:]}
        seeds = set(re.findall(r"SEED = (\d+)", (HIDDEN / "data/make_data.py").read_text()))
        assert len(seeds) == 2
        for folder in (GYM, HIDDEN / "solution"):
            for path in (path for path in folder.rglob("*") if path.is_file()):
                numbers = set(re.findall(r"-?\d[\d.]*", path.read_bytes().decode("utf-8", "replace")))
                assert not numbers & ((secrets - given) | seeds), path

    def test_licence_stands_beside_the_data(self) -> None:
        folder = GYM / "data/datasets"
        assert "MIT, in `LICENSE-gymnasium.txt`" in (folder / "README.md").read_text()
        assert "Copyright (c) 2022 Farama Foundation" in (folder / "LICENSE-gymnasium.txt").read_text()


class RepositoryPath:
    """The starter code's modules, importable for a while."""

    def __enter__(self) -> None:
        sys.path.insert(0, str(REPOSITORY))

    def __exit__(self, *_: object) -> None:
        sys.path.remove(str(REPOSITORY))


REPOSITORY_ON_PATH = RepositoryPath()


def import_module(name: str) -> Any:
    return importlib.import_module(name)


def draw_state(chance: random.Random) -> evaluation.State:
    theta1, theta2 = (evaluation.keep(chance.uniform(-3.14, 3.14)) for _ in range(2))
    return theta1, theta2, evaluation.keep(chance.uniform(-9, 9)), evaluation.keep(chance.uniform(-12, 12))


def as_state(array: Any) -> evaluation.State:
    theta1, theta2, speed1, speed2 = map(float, array)
    return theta1, theta2, speed1, speed2


def assert_near(state: evaluation.State, expected: evaluation.State, tolerance: float) -> None:
    difference = max(abs(a - b) for a, b in zip(state, expected, strict=True))
    assert difference <= tolerance, (state, expected)


def record(policy: evaluation.Policy, state: evaluation.State) -> str:
    actions = []
    for _ in range(evaluation.LIMIT):
        actions.append(policy.choose(state))
        state = evaluation.move(state, actions[-1])
        if evaluation.stands(state):
            break
    return "".join(map(str, actions))


def rule(outputs: dict[int, tuple[float, float, float]]) -> list[float]:
    """Return the weights of a network that sees single inputs alone, by a rule of one line."""
    first = [[0.0] * evaluation.HIDDEN for _ in range(evaluation.INPUTS)]
    second = [[0.0] * 3 for _ in range(evaluation.HIDDEN)]
    for unit, (column, row) in enumerate(outputs.items()):
        first[column][unit] = 1.0
        second[unit] = list(row)
    flat = [weight for line in first for weight in line] + [0.0] * evaluation.HIDDEN
    return flat + [weight for line in second for weight in line] + [0.0] * 3


if __name__ == "__main__":
    unittest.main()

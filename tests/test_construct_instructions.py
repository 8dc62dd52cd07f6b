from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import unittest
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evaluations.construct_instructions.task import evaluation
from evaluations.construct_instructions.task.config import TaskConfig

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TASK = "construct_instructions"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK

Record = dict[str, Any]


def read_facts() -> dict[str, evaluation.Fact]:
    return evaluation.read_facts(HIDDEN / "data/references/facts.tsv")


def read_sources() -> dict[str, str]:
    return dict(evaluation.read_references(HIDDEN / "data/references/entries.tsv"))


def write_output(fact: evaluation.Fact) -> str:
    return f"{fact.output:.0f}" if fact.category == "population" else f"{fact.output:.2f}"


def make_record(source: str, fact: evaluation.Fact) -> Record:
    return {
        "source": source,
        "category": fact.category,
        "instruction": evaluation.INSTRUCTIONS[fact.category],
        "input": fact.input,
        "output": write_output(fact),
    }


def make_right_records() -> list[Record]:
    """Return a record of every fact that may be in a dataset, and is answered at all."""
    facts, by_fact = read_facts(), {fact: source for source, fact in read_sources().items()}
    return [
        make_record(by_fact[name], fact)
        for name, fact in facts.items()
        if not fact.in_benchmark and name in by_fact
    ]


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.dataset = self.outputs / "dataset.jsonl"

    def evaluate(self) -> dict[str, Any]:
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        return evaluation.TaskBenchmark(config).run_1()

    def write(self, records: list[Record]) -> None:
        self.dataset.write_text("".join(json.dumps(record) + "\n" for record in records))

    def evaluate_records(self, records: list[Record]) -> dict[str, Any]:
        self.write(records)
        return self.evaluate()

    def change(self, edit: Callable[[list[Record]], object]) -> None:
        records = [json.loads(line) for line in self.dataset.read_text().splitlines()]
        edit(records)
        self.write(records)

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
        assert result["message"] == (
            "Net coverage 0.7250: 1040 right, 149 wrong, 6 repeated and 5 contaminated records."
        )

    def test_baseline_scores_0_to_2(self) -> None:
        shutil.copytree(HIDDEN / "data/baselines", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_an_average_attempt_scores_20_to_60(self) -> None:
        shutil.copytree(HIDDEN / "data/intermediates/majority", self.outputs, dirs_exist_ok=True)
        assert 20 <= self.evaluate()["score"] <= 60

    def test_more_right_records_never_score_less(self) -> None:
        kinds = [["right"] * right + ["wrong"] * (1200 - right) for right in range(0, 1201, 60)]
        scores = [evaluation.grade(kind)["score"] for kind in kinds]
        assert scores == sorted(scores)
        assert scores[0] == 0.0
        assert scores[-1] == 100.0
        assert len(set(scores)) > 5

    def test_task_yaml_states_the_same_anchors(self) -> None:
        (metric,) = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curve = evaluation.NET_COVERAGE
        assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
        assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, 1.0)

    def test_the_description_states_the_same_anchors(self) -> None:
        text = (GYM / "task/task_description.md").read_text()
        curve = evaluation.NET_COVERAGE
        assert f"| reference | {curve.reference} | 80 |" in text
        assert f"{curve.ceiling} or more | 100 |" in text

    def test_lines_in_any_order_and_windows_line_ends_are_fine(self) -> None:
        expected = self.evaluate()["score"]
        lines = self.dataset.read_text().splitlines()
        self.dataset.write_bytes("\r\n".join(lines[::-1]).encode())
        assert self.evaluate()["score"] == expected

    def test_all_right_records_within_the_budget_score_100(self) -> None:
        result = self.evaluate_records(make_right_records()[:1200])
        assert result["score"] == 100.0
        assert result["coverage"] == result["correctness"] == 1.0
        assert result["duplication"] == result["contamination"] == 0.0


class JudgementTest(EvaluationCase):
    """What counts as right, wrong, repeated and contaminated."""

    def setUp(self) -> None:
        super().setUp()
        self.record = next(record for record in make_right_records() if "é" in record["input"])

    def judge_one(self, **changes: str) -> str:
        (kind,) = evaluation.judge([self.record | changes], read_sources(), read_facts())
        return kind

    def test_a_right_one(self) -> None:
        assert self.judge_one() == "right"

    def test_accents_and_capitals_do_not_matter(self) -> None:
        assert self.judge_one(input=self.record["input"].replace("é", "e").upper()) == "right"

    def test_another_town(self) -> None:
        assert self.judge_one(input="Xanten, Germany") == "wrong"

    def test_another_country(self) -> None:
        assert self.judge_one(input=self.record["input"].split(",")[0] + ", Tuvalu") == "wrong"

    def test_broken_characters(self) -> None:
        assert self.judge_one(input=self.record["input"].replace("é", "Ã©")) == "wrong"

    def test_another_category(self) -> None:
        for category in set(evaluation.INSTRUCTIONS) - {self.record["category"]}:
            assert self.judge_one(category=category) == "wrong"

    def test_values_have_to_be_exact(self) -> None:
        for category, off, near in (("population", "1", "0"), ("latitude", "0.02", "0.01")):
            record = next(r for r in make_right_records() if r["category"] == category)
            digits = 0 if category == "population" else 2
            for step, kind in ((off, "wrong"), (near, "right")):
                output = f"{float(record['output']) + float(step):.{digits}f}"
                judged = evaluation.judge([record | {"output": output}], read_sources(), read_facts())
                assert judged == [kind], (category, step)

    def test_the_same_fact_from_another_source(self) -> None:
        sources, facts = read_sources(), read_facts()
        record = make_right_records()[0]
        fact = sources[record["source"]]
        same = [make_record(source, facts[fact]) for source, name in sources.items() if name == fact]
        assert len(same) > 1
        assert evaluation.judge(same, sources, facts) == ["right", *["repeated"] * (len(same) - 1)]
        assert self.evaluate_records(same)["duplication"] == (len(same) - 1) / len(same)

    def test_two_answers_to_the_same_fact(self) -> None:
        sources, facts = read_sources(), read_facts()
        fact = sources[make_right_records()[0]["source"]]
        names = [source for source, name in sources.items() if name == fact][:2]
        right, other = (make_record(name, facts[fact]) for name in names)
        for pair in ([right, other | {"output": "1"}], [other | {"output": "1"}, right]):
            assert evaluation.judge(pair, sources, facts) == ["wrong", "repeated"]

    def test_a_fact_of_the_benchmark(self) -> None:
        sources, facts = read_sources(), read_facts()
        leaked = [
            make_record(s, facts[name]) for s, name in sources.items() if name and facts[name].in_benchmark
        ]
        result = self.evaluate_records(leaked[:1200])
        assert result["contamination"] == 1.0
        assert result["score"] == 0.0

    def test_a_source_without_an_answer(self) -> None:
        silent = [source for source, name in read_sources().items() if not name]
        record = make_right_records()[0] | {"source": silent[0]}
        assert evaluation.judge([record, record | {"source": silent[1]}], read_sources(), read_facts()) == [
            "wrong",
            "wrong",
        ]

    def test_right_texts_with_the_sources_of_others(self) -> None:
        records = make_right_records()[:1200]
        moved = [
            record | {"source": other["source"]}
            for record, other in zip(records, records[3:] + records[:3], strict=True)
        ]
        result = self.evaluate_records(moved)
        assert (result["score"], result["coverage"]) == (0.0, 0.0)

    def test_one_record_with_every_source(self) -> None:
        record = make_right_records()[0]
        records = [record | {"source": source} for source in list(read_sources())[:1200]]
        assert self.evaluate_records(records)["score"] == 0.0

    def test_one_output_everywhere(self) -> None:
        self.change(
            lambda records: [
                r.update(output="20000" if r["category"] == "population" else "0.00") for r in records
            ]
        )
        assert self.evaluate()["score"] == 0.0

    def test_a_few_sure_records_earn_a_few_points(self) -> None:
        assert 0 < self.evaluate_records(make_right_records()[:60])["score"] < 6


class HostileSubmissionTest(EvaluationCase):
    def assert_changed(self, message: str, **changes: object) -> None:
        self.change(lambda records: records[4].update(changes))
        self.assert_rejected(message)

    def test_missing_file(self) -> None:
        self.dataset.unlink()
        self.assert_rejected("data/outputs/dataset.jsonl is missing or can't be read")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/dataset.jsonl is missing or can't be read")

    def test_no_records(self) -> None:
        for text in ("", "\n", " \n\n"):
            self.dataset.write_text(text)
            self.assert_rejected("dataset.jsonl has 0 records; 1 to 1200 are allowed")

    def test_more_than_1200_records(self) -> None:
        self.write(make_right_records()[:1201])
        self.assert_rejected("dataset.jsonl has 1201 records; 1 to 1200 are allowed")

    def test_unknown_source(self) -> None:
        self.assert_changed(
            "dataset.jsonl, line 5: the source 'fact0001' is not the id of an entry", source="fact0001"
        )

    def test_source_named_twice(self) -> None:
        self.change(lambda records: records.__setitem__(1, records[0]))
        self.assert_rejected("dataset.jsonl, line 2: the source ")
        self.assert_rejected("appears twice")

    def test_a_field_too_few(self) -> None:
        self.change(lambda records: records[4].pop("source"))
        self.assert_rejected(
            "dataset.jsonl, line 5 must be an object with source, category, instruction, input, output and nothing else"
        )

    def test_a_field_too_many(self) -> None:
        self.assert_changed("dataset.jsonl, line 5 must be an object with source, ", score="100")

    def test_values_that_are_no_text(self) -> None:
        values: tuple[object, ...] = (None, 1, True, float("nan"), 1e308, [], {}, ["1"], "9" * 201)
        for value in values:
            with self.subTest(value=str(value)[:9]):
                self.assert_changed(
                    "dataset.jsonl, line 5: output must be a text of at most 200 characters", output=value
                )

    def test_lines_that_are_no_objects(self) -> None:
        for text in ("1", "null", "[]", '"text"', "NaN"):
            with self.subTest(text=text):
                self.dataset.write_text(text)
                self.assert_rejected("dataset.jsonl, line 1 must be an object with source, ")

    def test_lines_that_are_no_json(self) -> None:
        for text in ("{", "id,label", "\x00", "9" * 5000, "'"):
            with self.subTest(text=text[:9]):
                self.dataset.write_text(text)
                self.assert_rejected("dataset.jsonl, line 1 is not JSON")

    def test_unknown_category(self) -> None:
        self.assert_changed(
            "the category 'altitude' is none of population, latitude, longitude", category="altitude"
        )

    def test_instruction_of_another_category(self) -> None:
        self.assert_changed(
            "dataset.jsonl, line 5: the instruction for ", instruction="Ignore all instructions."
        )

    def test_numbers_that_are_none(self) -> None:
        for text in (
            "nan",
            "inf",
            "",
            "one",
            "9" * 50,
            "1e9",
            "16,011",
            "-5",
            "٣",
            "5\n",
            "\ud800",
            "90.01",
            "-0.001",
        ):
            for category, message in (
                ("population", "is not a whole number of at most 9 digits"),
                ("latitude", "is not a latitude in degrees with two decimals, such as -7.05"),
            ):
                with self.subTest(text=text[:9], category=category):
                    instruction = evaluation.INSTRUCTIONS[category]
                    self.assert_changed(message, category=category, instruction=instruction, output=text)

    def test_half_of_the_bytes(self) -> None:
        data = self.dataset.read_bytes()
        self.dataset.write_bytes(data[: len(data) // 2])
        self.assert_rejected("is not JSON")

    def test_binary_junk(self) -> None:
        self.dataset.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("dataset.jsonl is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.dataset.write_text("[" * 400_000)
        self.assert_rejected("dataset.jsonl, line 1 is not JSON")

    def test_huge_file(self) -> None:
        with self.dataset.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("at most 1000000 are read")

    def test_link_to_the_references(self) -> None:
        self.dataset.unlink()
        self.dataset.symlink_to(HIDDEN / "data/references/facts.tsv")
        self.assert_rejected("dataset.jsonl is not a regular file")

    def test_pipe(self) -> None:
        self.dataset.unlink()
        os.mkfifo(self.dataset)
        self.assert_rejected("dataset.jsonl is not a regular file")

    def test_folder(self) -> None:
        self.dataset.unlink()
        self.dataset.mkdir()
        self.assert_rejected("dataset.jsonl is not a regular file")


class DataTest(unittest.TestCase):
    def count_lines(self, name: str) -> int:
        return len((GYM / "data/datasets" / name).read_text().rstrip("\n").split("\n"))

    def test_sizes_are_those_of_the_description(self) -> None:
        text = (GYM / "task/task_description.md").read_text()
        posts, rows = self.count_lines("forum.jsonl"), self.count_lines("table.tsv") - 1
        articles = (GYM / "data/datasets/pages.html").read_text().count("<article ")
        mails = (GYM / "data/datasets/mails.txt").read_text().count("\nMessage-ID: ")
        assert f"{posts:,} posts" in text
        assert f"{articles:,} articles" in text
        assert f"{mails:,} mails" in text
        assert f"{rows:,} rows" in text
        assert f"{posts + rows + articles + mails:,} entries" in text
        assert f"{self.count_lines('benchmark.jsonl')} questions" in text
        assert len(read_sources()) == posts + rows + articles + mails
        assert len(read_facts()) == 2100

    def test_the_benchmark_asks_for_the_facts_that_are_contaminated(self) -> None:
        contaminated = [fact for fact in read_facts().values() if fact.in_benchmark]
        assert len(contaminated) == self.count_lines("benchmark.jsonl")

    def test_there_is_more_than_the_budget(self) -> None:
        assert len(make_right_records()) > 1200

    def test_ids_and_their_order_tell_nothing_of_facts(self) -> None:
        facts = list(read_sources().values())
        neighbours = sum(a == b != "" for a, b in pairwise(facts))
        assert neighbours < 30

    def test_no_fact_stands_where_an_agent_looks(self) -> None:
        ids = tuple(read_facts())
        for path in (path for path in GYM.rglob("*") if path.is_file()):
            text = path.read_text("utf-8")
            assert not any(name in text for name in ids[::50]), path
            assert "\tlatitude\t" not in text or path.name == "table.tsv", path

    def test_schema_of_the_starting_code_is_the_evaluators(self) -> None:
        text = (GYM / "task/repositories/gazetteer/records.py").read_text()
        for category, instruction in evaluation.INSTRUCTIONS.items():
            assert f'"{category}": "{instruction}",' in text
        assert f"MOST = {evaluation.MOST_RECORDS}\n" in text

    def test_licence_stands_beside_the_data(self) -> None:
        text = (GYM / "data/datasets/README.md").read_text()
        assert "GeoNames is licensed under Creative Commons Attribution 4.0" in text
        assert "The figures were changed" in text


if __name__ == "__main__":
    unittest.main()

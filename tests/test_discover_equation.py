from __future__ import annotations

import os
import shutil
import tempfile
import time
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from evaluations.discover_equation.task import evaluation
from evaluations.discover_equation.task.config import TaskConfig
from evaluations.discover_equation.task.expressions import expand, parse

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
TASK = "discover_equation"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK
SYSTEMS = [f"system{number}" for number in range(1, 9)]
# Spellings of terms are tried on these.
POINTS = [{"x": 0.3 * i - 2, "v": 1.1 - 0.7 * (i % 5), "t": 20 + 1.3 * i} for i in range(15)]

Row = list[str]


def read_rows(path: Path) -> list[Row]:
    return [line.split(",") for line in path.read_text().splitlines()]


def read_truth() -> dict[str, str]:
    return dict(evaluation.read_references(HIDDEN / "data/references/equations.csv"))


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.equations = self.outputs / "equations.csv"

    def evaluate(self) -> dict[str, Any]:
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        return evaluation.TaskBenchmark(config).run_1()

    def change(self, edit: Callable[[list[Row]], object]) -> None:
        rows = read_rows(self.equations)
        edit(rows)
        self.equations.write_text("".join(",".join(row) + "\n" for row in rows))

    def write(self, equations: dict[str, str]) -> None:
        lines = [f"{system},{equation}" for system, equation in equations.items()]
        self.equations.write_text("\n".join(["system,equation", *lines]) + "\n", encoding="utf-8")

    def score(self, equations: dict[str, str]) -> float:
        self.write(equations)
        result = self.evaluate()
        assert result["error"] is None, result["error"]
        assert isinstance(result["score"], float)
        return result["score"]

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
        assert result["message"] == "Digits 1.229 (half of the score), form 0.653 (the other half)."

    def test_baseline_scores_0_to_2(self) -> None:
        shutil.copytree(HIDDEN / "data/baselines", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_intermediate_scores_20_to_60(self) -> None:
        shutil.copytree(HIDDEN / "data/intermediates/smoothed_sindy", self.outputs, dirs_exist_ok=True)
        result = self.evaluate()
        assert result["error"] is None
        assert 20 <= result["score"] <= 60

    def test_reference_is_well_above_the_baseline_in_each_metric(self) -> None:
        assert evaluation.DIGITS.reference > 1.05 * evaluation.DIGITS.baseline
        assert evaluation.FORM.reference > 1.05 * evaluation.FORM.baseline

    def test_the_truth_scores_100(self) -> None:
        assert self.score(read_truth()) == 100.0

    def test_more_right_equations_never_score_less(self) -> None:
        truth = read_truth()
        scores = [self.score(dict.fromkeys(SYSTEMS, "0") | dict(list(truth.items())[:n])) for n in range(9)]
        assert scores == sorted(scores)
        assert (scores[0], scores[-1]) == (0.0, 100.0)
        assert len(set(scores)) > 5

    def test_nearer_constants_never_score_less(self) -> None:
        truth = read_truth()
        factors = (2, 1.5, 1.2, 1.09, 1.05, 1.02, 1.01, 1)
        scores = [self.score({s: f"{factor}*({text})" for s, text in truth.items()}) for factor in factors]
        assert scores == sorted(scores)
        assert len(set(scores)) > 5

    def test_missing_and_needless_terms_cost_form(self) -> None:
        truth = read_truth()
        for equation in ("-0.3242*v - 1.187*x - 0.8639*x**3", truth["system2"] + " + 0.001*x**2"):
            self.write(truth | {"system2": equation})
            assert 0.9 < self.evaluate()["form"] < 1

    def test_task_yaml_states_the_same_anchors(self) -> None:
        metrics = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curves = {"digits": evaluation.DIGITS, "form": evaluation.FORM}
        for metric in metrics:
            curve = curves[metric["name"]]
            assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
            assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, 0.5)

    def test_lines_in_any_order_and_windows_line_ends_are_fine(self) -> None:
        expected = self.evaluate()["score"]
        header, *lines = self.equations.read_text().splitlines()
        self.equations.write_bytes("\r\n".join([header, *reversed(lines)]).encode())
        assert abs(self.evaluate()["score"] - expected) < 1e-9


class TermsTest(unittest.TestCase):
    """What counts as a term, and as the same one."""

    def count(self, text: str) -> int:
        return len(evaluation.merge(expand(parse(text), POINTS)))

    def test_equations_are_multiplied_out(self) -> None:
        for text, terms in {
            "2*(x + v)**2": 3,
            "(x + 1)*(v - t)/3": 4,
            "(x + v)**-2": 1,
            "sqrt(abs(x + v))*0 + x": 1,
            "-(x - v)": 2,
            "3*sin(x) + 4*cos(x)": 2,
            "5*sin(x + 0.9273)": 1,
            "exp(x + v)*(1 + x)": 2,
            "x/(1 + x**2) + v/2": 2,
            "sqrt((x + v + t + 3*x*v)**2)": 1,
        }.items():
            with self.subTest(text=text):
                assert self.count(text) == terms

    def test_multiples_are_added_up_and_what_cancels_is_left_out(self) -> None:
        for text, terms in {
            "x + 2*x - v": 2,
            "x*v + v*x": 1,
            "v*abs(v) + v**2*sign(v)": 1,
            "1 + 2 + pi": 1,
            "x - x": 0,
            "0": 0,
            "x + v - 3*v + 2*v": 1,
        }.items():
            with self.subTest(text=text):
                assert self.count(text) == terms

    def test_a_term_counts_however_it_is_spelt(self) -> None:
        points = {"system": POINTS}
        truth = parse("1.1*cos(1.4*t + 0.5) - 0.28*v*abs(v) + x**3")
        for text, form in {
            "x*x*x - 0.28*v**2*sign(v) + 1.1*sin(1.4*t + 0.5 + pi/2)": 1.0,
            "x**3*1.05 - 0.27*v*abs(v) + 1.1*cos(1.4*t + 0.5)": 1.0,
            "x**3*1.2 - 0.28*v*abs(v) + 1.1*cos(1.4*t + 0.5)": 2 / 3,
            "x**3 - 0.28*v*abs(v)": 4 / 5,
            "abs(1.1*cos(1.4*t + 0.5) - 0.28*v*abs(v) + x**3)": 0.0,
            "x**3 + 0.5*x**3 - 0.5*x**3": 2 / 4,
            "0": 0.0,
        }.items():
            with self.subTest(text=text):
                equation = evaluation.Equation(place="line 2", tree=parse(text))
                assert abs(evaluation.rate(equation, truth, points["system"]).form - form) < 1e-9

    def test_values_are_those_of_python(self) -> None:
        text = "-x**2/3 + tan(v)*tanh(-t) - log(t)*exp(x/2) + sqrt(abs(x))*sign(-v) + 2**-1*pi - +v**3/4"
        terms = expand(parse(text), [{"x": 0.5, "v": -0.25, "t": 2.0}])
        assert abs(sum(term[0] for term in terms) - 1.55461408171) < 1e-6


class WorthlessSubmissionTest(EvaluationCase):
    def test_one_equation_for_all(self) -> None:
        for equation in (
            "0",
            "1",
            "x",
            "-x",
            "-1.2*x - 0.2*v - 0.85*x**3",
            "v",
            "t",
            "-3.1*sin(x)",
            "exp(x)",
        ):
            with self.subTest(equation=equation):
                assert self.score(dict.fromkeys(SYSTEMS, equation)) <= 2

    def test_no_motion(self) -> None:
        self.write(dict.fromkeys(SYSTEMS, "0"))
        assert self.evaluate()["message"] == "Digits 0.000 (half of the score), form 0.000 (the other half)."

    def test_true_equations_of_other_systems(self) -> None:
        truth = list(read_truth().values())
        for shift in range(1, 8):
            moved = dict(zip(SYSTEMS, truth[shift:] + truth[:shift], strict=True))
            with self.subTest(shift=shift):
                assert self.score(moved) <= 5

    def test_long_polynomials(self) -> None:
        powers = [(i, j) for i in range(5) for j in range(5 - i)]
        monster = " + ".join(f"{0.1 + i / 9 - j / 7:.2f}*x**{i}*v**{j}" for i, j in powers)
        monster = monster.replace("*x**0", "").replace("*v**0", "")
        assert self.score(dict.fromkeys(SYSTEMS, monster)) == 0.0

    def test_every_likely_term_at_once(self) -> None:
        everything = (
            "x + v + 1 + x**2 + x*v + v**2 + x**3 + x**2*v + x*v**2 + v**3 + sin(x) + v*abs(v) + cos(t)"
        )
        assert self.score(dict.fromkeys(SYSTEMS, everything)) == 0.0

    def test_values_that_are_not_finite_cost_the_system_alone(self) -> None:
        expected = self.score(read_truth() | {"system3": "0"})
        for equation in (
            "1/0",
            "x/(v - v)",
            "0**-1",
            "log(x)",
            "sqrt(-1 - x**2)",
            "(-2 - abs(x))**0.5",
            "exp(exp(t))",
            "exp(500000)",
            "tan(log(-1))",
            "1000000**6*1000000**6",
            "((((1000000**6)**6)**6)**6)**6",
            "x + exp(700)*exp(700)*0",
        ):
            with self.subTest(equation=equation):
                self.write(read_truth() | {"system3": equation})
                result = self.evaluate()
                assert result["error"] is None
                assert abs(result["score"] - expected) < 1e-9
                assert result["message"].endswith("Not finite at every hidden point, so 0 in both: system3.")


class LanguageTest(EvaluationCase):
    """Texts in place of an equation; none of them is run."""

    def assert_refused(self, text: str, message: str) -> None:
        with self.subTest(text=text[:40]):
            self.write(read_truth() | {"system4": text})
            self.assert_rejected(f"equations.csv, line 5: {message}")

    def test_what_is_no_expression(self) -> None:
        for text in (
            "",
            " ",
            "x +",
            "x = 1",
            "-3.1*sin(x",
            "import os",
            "1 2",
            "x; v",
            "(" * 300,
            "*",
            "5 x",
        ):
            self.assert_refused(text, f"{text[:40]!r} is not an expression")

    def test_python_that_is_not_in_the_language(self) -> None:
        for text in (
            "(lambda: x)()",
            "[x for x in (1, 2)]",
            "[1, 2][0]",
            "x.real",
            "().__class__.__bases__[0]",
            "__import__('os').system('id')",
            "open('equations.csv')",
            "eval('1')",
            "x if v else t",
            "x < v",
            "x and v",
            "not x",
            "~1",
            "x % 2",
            "x // 2",
            "1 << 30",
            "x @ v",
            "(x := 1)",
            "{1: 2}",
            "f'{x}'",
            "x, v",
            "sin()",
            "sin(x, v)",
            "sin(*x)",
            "sin(x=1)",
            "sin(**x)",
            "sin(x)(v)",
        ):
            self.assert_refused(text, "")
            assert self.evaluate()["error"].endswith(" is not in the language of equations")

    def test_names_that_are_none(self) -> None:
        for name in ("nan", "inf", "e", "abs", "X", "y", "__builtins__", "x1"):
            self.assert_refused(f"{name} + 1", f"{name!r} is none of x, v, t and pi")

    def test_characters_that_look_alike(self) -> None:
        for text in (
            "\u0445 + 1",
            "\uff58 + 1",
            "x \u2212 v",
            "x*\u00b2",
            "x\u200b + v",
            "1 +\tx",
            "x\x00",
            "\x1b[0m",
        ):
            self.assert_refused(
                text, "the equation has other characters than letters, digits and signs of ASCII"
            )

    def test_numbers_that_are_none(self) -> None:
        for text in (
            "1e7",
            "1e999",
            "-1e999",
            "9" * 390,
            "1j",
            "True",
            "None",
            "'x'",
            "b'x'",
            "...",
            "1000001",
        ):
            self.assert_refused(f"x*{text}", "")
            assert "is not a number from -1000000 to 1000000" in self.evaluate()["error"]

    def test_exponents_that_are_too_much(self) -> None:
        for text in (
            "10**10**10",
            "x**x",
            "x**7",
            "2**-7",
            "x**1e3",
            "x**(2 + 1)",
            "x**--2",
            "x**True",
            "x**2j",
            "x**~1",
        ):
            self.assert_refused(text, "an exponent is not a number from -6 to 6")

    def test_too_long(self) -> None:
        self.assert_refused("x" + " + x" * 100, "the equation has 401 characters; at most 400 are read")

    def test_nested_parentheses(self) -> None:
        self.write(read_truth() | {"system4": "(" * 40_000 + "x" + ")" * 40_000})
        self.assert_rejected("line 5: the equation has 80001 characters; at most 400 are read")
        self.write(read_truth() | {"system4": "(" * 100_000 + "x" + ")" * 100_000})
        self.assert_rejected("equations.csv has 200")

    def test_too_many_parts(self) -> None:
        self.assert_refused("+".join("x" * 100), "the equation has 199 parts; at most 150 are allowed")
        self.assert_refused("+".join(["abs(x)"] * 51), "the equation has 152 parts; at most 150 are allowed")

    def test_too_deep(self) -> None:
        self.assert_refused("x" + "()" * 101, "the equation is nested 101 deep; at most 25 are allowed")
        self.assert_refused("-" * 30 + "x", "the equation is nested 31 deep; at most 25 are allowed")
        self.assert_refused(
            "sin(" * 30 + "x" + ")" * 30, "the equation is nested 31 deep; at most 25 are allowed"
        )

    def test_too_many_terms(self) -> None:
        for text in (
            "(x + v + 1)**6",
            "(x + v)**6*(x - v)",
            "((x + v)**6)**6",
            "(x+v)*(x+t)*(x+1)*(v+1)*(v+t)*(t+2)*(t+3)",
        ):
            self.assert_refused(text, "the equation has more than 100 terms when it is multiplied out")

    def test_the_largest_that_is_allowed_is_quick(self) -> None:
        factor = "(x + v + t + 1 + sin(x) + cos(v) + exp(-abs(x)) + x*v + tanh(v) + x*t)"
        started = time.perf_counter()
        assert self.score(dict.fromkeys(SYSTEMS, f"{factor}*{factor}")) == 0.0
        assert time.perf_counter() - started < 10


class HostileSubmissionTest(EvaluationCase):
    def test_missing_equations(self) -> None:
        self.equations.unlink()
        self.assert_rejected("data/outputs/equations.csv is missing")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/equations.csv is missing")

    def test_empty_file(self) -> None:
        self.equations.write_text("")
        self.assert_rejected("the first line of equations.csv must be 'system,equation'")

    def test_header_alone(self) -> None:
        self.equations.write_text("system,equation\n")
        self.assert_rejected("equations.csv has 0 of 8 systems")

    def test_binary_junk(self) -> None:
        self.equations.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("equations.csv is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.equations.write_text("[" * 90_000)
        self.assert_rejected("the first line of equations.csv")

    def test_huge_file(self) -> None:
        with self.equations.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("at most 100000 are read")

    def test_link_to_the_references(self) -> None:
        self.equations.unlink()
        self.equations.symlink_to(HIDDEN / "data/references/equations.csv")
        self.assert_rejected("equations.csv is not a regular file")

    def test_pipe(self) -> None:
        self.equations.unlink()
        os.mkfifo(self.equations)
        self.assert_rejected("equations.csv is not a regular file")

    def test_folder(self) -> None:
        self.equations.unlink()
        self.equations.mkdir()
        self.assert_rejected("equations.csv is not a regular file")

    def test_repeated_system(self) -> None:
        self.change(lambda rows: rows.append(rows[1]))
        self.assert_rejected("equations.csv, line 10: 'system1' appears twice")

    def test_unknown_system(self) -> None:
        self.change(lambda rows: rows[1].__setitem__(0, "system9"))
        self.assert_rejected("equations.csv, line 2: 'system9' is not a system")

    def test_missing_system(self) -> None:
        self.change(lambda rows: rows.pop())
        self.assert_rejected("equations.csv has 7 of 8 systems")

    def test_no_equation(self) -> None:
        self.change(lambda rows: rows[3].pop())
        self.assert_rejected("equations.csv, line 4: '' is not an expression")

    def test_more_columns(self) -> None:
        self.change(lambda rows: rows[3].append("1"))
        self.assert_rejected("is not in the language of equations")


class DataTest(unittest.TestCase):
    def test_sizes(self) -> None:
        for name, runs in {"train": 4, "dev": 2}.items():
            header, *rows = read_rows(GYM / f"data/datasets/{name}.csv")
            assert header == ["system", "run", "t", "x", "v"]
            assert len(rows) == 8 * runs * 401
            assert {row[0] for row in rows} == set(SYSTEMS)
            assert len({(row[0], row[1]) for row in rows}) == 8 * runs

    def test_hidden_points_are_outside_the_range_of_the_data(self) -> None:
        points = evaluation.read_points(HIDDEN / "data/references/points.csv")
        assert {name: len(rows) for name, rows in points.items()} == dict.fromkeys(SYSTEMS, 200)
        measured = [
            row for name in ("train", "dev") for row in read_rows(GYM / f"data/datasets/{name}.csv")[1:]
        ]
        for system in SYSTEMS:
            rows = [row for row in measured if row[0] == system]
            x, v = (max(abs(float(row[column])) for row in rows) for column in (3, 4))
            outside = [p for p in points[system] if abs(p["x"]) > x or abs(p["v"]) > v]
            assert len(outside) > 180  # noise reaches a little further than the motion
            assert all(
                abs(p["x"]) < 2.1 * x and abs(p["v"]) < 2.1 * v and 20 <= p["t"] <= 40 for p in points[system]
            )

    def test_the_truth_is_in_the_language_and_finite(self) -> None:
        points = evaluation.read_points(HIDDEN / "data/references/points.csv")
        for system, text in read_truth().items():
            assert 3 <= len(evaluation.merge(expand(parse(text), points[system]))) <= 4

    def test_no_equation_is_where_an_agent_looks(self) -> None:
        terms = {term for text in read_truth().values() for term in text.replace(" + ", " - ").split(" - ")}
        texts = {"".join(text.split()) for text in read_truth().values()} | {t for t in terms if len(t) > 6}
        for path in (path for path in GYM.rglob("*") if path.is_file()):
            packed = "".join(path.read_text().split())
            assert not [text for text in texts if text in packed], path

    def test_licence_stands_beside_the_data(self) -> None:
        text = (GYM / "data/datasets/README.md").read_text()
        assert "CC0 1.0" in text
        assert "Simulated for this task, not measured" in text


if __name__ == "__main__":
    unittest.main()

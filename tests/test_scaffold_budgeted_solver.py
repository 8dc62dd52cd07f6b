from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import tracemalloc
import unittest
from pathlib import Path
from typing import Any

import yaml

from evaluations.scaffold_budgeted_solver.task import evaluation
from evaluations.scaffold_budgeted_solver.task.config import TaskConfig
from evaluations.scaffold_budgeted_solver.task.lab import interpreter, language, solver, trial, values

ROOT = Path(__file__).parents[1]
TASK = "scaffold_budgeted_solver"
HIDDEN = ROOT / "evaluations" / TASK
GYM = ROOT / "gym" / TASK
LAB = "task/repositories/scaffold_lab/lab"

EXAM = evaluation.read_exam(HIDDEN / "data/references")
QUESTION = "From the wine Aaa, go to the next higher hue, then to the next higher ash. Which wine is it?"


class EvaluationCase(unittest.TestCase):
    """Starts from the reference's outputs in a workspace of its own."""

    def setUp(self) -> None:
        workspace = tempfile.TemporaryDirectory()
        self.addCleanup(workspace.cleanup)
        self.workspace = Path(workspace.name)
        self.outputs = self.workspace / "data/outputs"
        shutil.copytree(HIDDEN / "data/outputs", self.outputs)
        self.scaffold = self.outputs / "scaffold.txt"

    def evaluate(self, text: str | None = None) -> dict[str, Any]:
        if text is not None:
            self.scaffold.write_text(text, encoding="utf-8")
        config = TaskConfig(eval_workspace=str(ROOT / "evaluations"), workspace=str(self.workspace))
        return evaluation.TaskBenchmark(config).run_1()

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
        assert re.fullmatch(
            r"Accuracy 0\.4\d+ with 5 calls a question \(half of the score\), "
            r"0\.[78]\d+ with 15 \(the other half\); used were 5\.0 and 1\d\.\d\.",
            result["message"],
        )

    def test_baseline_scores_0_to_2(self) -> None:
        result = self.evaluate((HIDDEN / "data/baselines/scaffold.txt").read_text())
        assert result["error"] is None
        assert 0 <= result["score"] <= 2

    def test_an_average_attempt_scores_20_to_60(self) -> None:
        result = self.evaluate((HIDDEN / "data/intermediates/checked_votes/scaffold.txt").read_text())
        assert result["error"] is None
        assert 20 <= result["score"] <= 60

    def test_reference_is_well_above_the_baseline_in_each_metric(self) -> None:
        for curve in (evaluation.LEAN, evaluation.RICH):
            assert curve.reference > 1.05 * curve.baseline

    def test_more_right_answers_never_score_less(self) -> None:
        scores = [grade_with_right(share / 20) for share in range(21)]
        assert scores == sorted(scores)
        assert (scores[0], scores[-1]) == (0.0, 100.0)
        assert len(set(scores)) > 5

    def test_the_same_scaffold_has_the_same_score(self) -> None:
        text = (HIDDEN / "data/intermediates/checked_votes/scaffold.txt").read_text()
        assert self.evaluate(text) == self.evaluate(text)

    def test_task_yaml_states_the_same_anchors(self) -> None:
        metrics = yaml.safe_load((HIDDEN / "task.yaml").read_text())["metrics"]
        curves = {"lean_accuracy": evaluation.LEAN, "rich_accuracy": evaluation.RICH}
        assert {metric["name"] for metric in metrics} == set(curves)
        for metric in metrics:
            curve = curves[metric["name"]]
            assert (metric["baseline"], metric["reference"]) == (curve.baseline, curve.reference)
            assert (metric["ceiling"], metric["weight"]) == (curve.ceiling, 0.5)


class BudgetTest(EvaluationCase):
    def test_calls_beyond_the_budget_are_not_answered(self) -> None:
        outcome = take("def solve(question):\n    return [ask(question) for i in range(300)][299]\n")
        assert sum(outcome.calls) == 5 * 400
        assert outcome.calls[:8] == (300,) * 6 + (200, 0)
        assert outcome.answers[6:] == (None,) * 394

    def test_verify_and_split_cost_a_call_each(self) -> None:
        outcome = take(
            "def solve(question):\n    verify(question, 'x')\n    split(question)\n    return 'x'\n"
        )
        assert set(outcome.calls) == {2}

    def test_what_is_left_is_told_for_free(self) -> None:
        text = "def solve(question):\n    return str(calls_left()) + ' ' + str(questions_left())\n"
        outcome = take(text)
        assert outcome.answers[:2] == ("2000 399", "2000 398")
        assert sum(outcome.calls) == 0

    def test_nonsense_costs_calls_and_is_answered_by_none(self) -> None:
        text = (
            "def solve(question):\n"
            "    if ask('Which wine is best?') is None and verify(question, None) is not None:\n"
            "        return 'told'\n"
            "    return str(split(''))\n"
        )
        outcome = take(text)
        assert set(outcome.calls) == {3}
        assert set(outcome.answers) == {"None"}

    def test_nothing_remains_from_one_question_to_the_next(self) -> None:
        text = "SEEN = []\n\ndef solve(question):\n    SEEN.append(1)\n    return str(len(SEEN))\n"
        assert set(take(text).answers) == {"1"}

    def test_tools_take_texts_alone(self) -> None:
        for call, said in (
            ("ask(5)", "ask takes a text"),
            ("ask()", "ask takes a text"),
            ("verify(question)", "verify takes a text and an answer"),
            ("split([question])", "split takes a text"),
        ):
            with self.subTest(call=call):
                assert fail(call) == f"line 2: {said}"

    def test_an_answer_that_is_no_text_counts_for_nothing(self) -> None:
        outcome = take("def solve(question):\n    return [ask(question)]\n")
        assert outcome.answers == (None,) * 400

    def test_questions_share_their_steps(self) -> None:
        outcome = take("def solve(question):\n    while True:\n        pass\n")
        assert outcome.steps == trial.MEAN_STEPS * 400
        said = [str(error.args[0]) for error in outcome.errors]
        assert said[:120] == ["a question takes at most 20000 steps"] * 120
        assert said[120:] == ["the steps of all questions together are spent"] * 280

    def test_the_reference_has_steps_to_spare(self) -> None:
        scaffold = language.parse((HIDDEN / "data/outputs/scaffold.txt").read_text())
        outcome = evaluation.take(EXAM, scaffold, evaluation.RICH_CALLS)
        assert outcome.steps < trial.MEAN_STEPS * 400 / 2
        assert outcome.errors == ()

    def test_errors_are_counted_and_the_first_is_told(self) -> None:
        result = self.evaluate("def solve(question):\n    return 1 // 0\n")
        assert result["score"] == 0.0
        assert "800 of 800 runs ended in an error, the first: division by zero." in result["message"]


class SolverTest(unittest.TestCase):
    def test_questions_are_read_back_as_they_were_spelt(self) -> None:
        chain = solver.Chain(start="Aaa", steps=("hue", "malic acid"))
        assert solver.read_chain(chain.spell()) == chain
        for text in (
            "",
            "Aaa",
            chain.spell() + " ",
            chain.spell().replace("hue", "taste"),
            chain.spell() * 99,
        ):
            assert solver.read_chain(text) is None

    def test_the_answers_are_right(self) -> None:
        for text, answer in zip(EXAM.questions.values(), EXAM.answers, strict=True):
            chain = solver.read_chain(text)
            assert chain is not None
            assert EXAM.table.walk(chain) == answer

    def test_short_questions_are_easier_and_checks_tell_something(self) -> None:
        tool = solver.Solver(EXAM.table, "test")
        hits: dict[int, list[bool]] = {}
        accepted: dict[bool, list[bool]] = {True: [], False: []}
        for text, right in zip(EXAM.questions.values(), EXAM.answers, strict=True):
            answer = tool.ask(text, "1")
            hits.setdefault(text.count("higher"), []).append(answer == right)
            accepted[answer == right].append(bool(tool.verify(text, answer, "1")))
        shares = [sum(hits[length]) / len(hits[length]) for length in (1, 2, 3, 4)]
        assert shares == sorted(shares, reverse=True)
        assert sum(accepted[True]) / len(accepted[True]) > 0.7
        assert sum(accepted[False]) / len(accepted[False]) < 0.4

    def test_split_gives_questions_of_one_step(self) -> None:
        parts = solver.Solver(EXAM.table, "test").split(QUESTION, "1")
        assert parts is not None
        assert parts[1] == "From the wine #1, go to the next higher ash. Which wine is it?"
        assert len(parts) == 2


class LanguageTest(unittest.TestCase):
    def test_it_computes_what_python_does(self) -> None:
        for expression in (
            "7 // 2 + 7 % 4 - 3 / 2 * -1",
            "'ab' * 2 + 'c'",
            "[x * x for x in range(5) if x % 2 == 0]",
            "sum(x for x in [1, 2, 3])",
            "{'a': 1}['a'] if 1 < 2 <= 2 and not 3 != 3 else 0",
            "'a,b'.replace(',', ' ').split(' ') + list((1, 2))",
            "[4, 5, 6][1:] + [4, 5, 6][:-2]",
            "sorted([(2, 'b'), (1, 'z')])",
            "max(3, 1) + min([2, 4]) + len('abc') + round(2.5) + abs(-2) + int('7')",
            "'-'.join(['a', 'b']).startswith('a') and 'b' in 'abc' and 2 not in [1]",
            "0 or None or 'x'",
            "list(zip([1, 2], 'ab')) + list(enumerate('c'))",
        ):
            with self.subTest(expression=expression):
                assert compute(expression) == eval(expression)  # noqa: S307 - the constants above

    def test_statements(self) -> None:
        text = """
FIRST, SECOND = 1, 2

def add(numbers):
    total = 0
    for number in numbers:
        if number < 0:
            continue
        total += number
    return total

def solve(question):
    box = {"n": []}
    while True:
        box["n"].append(len(box["n"]))
        if len(box["n"]) > 5:
            break
    box["n"][0] = 10
    box["n"].append(box["n"].pop() + FIRST)
    best = counts(["a", "b", "b"])[0]
    return str(add(box["n"] + [-5])) + best[0] + str(best[1] * SECOND)
"""
        assert interpreter.solve(language.parse(text), QUESTION, {}) == "26b4"

    def test_what_is_not_in_the_language_is_refused(self) -> None:
        for line, said in (
            ("import os", "Import is not in the language"),
            ("from os import path", "ImportFrom is not in the language"),
            ("x = lambda: 1", "Lambda is not in the language"),
            ("x = f'{question}'", "JoinedStr is not in the language"),
            ("x = 10 ** 10", "Pow is not in the language"),
            ("x = 1 << 99", "LShift is not in the language"),
            ("global question", "Global is not in the language"),
            ("del question", "Delete is not in the language"),
            ("assert question", "Assert is not in the language"),
            ("with question: pass", "With is not in the language"),
            ("try: pass\n    except: pass", "Try is not in the language"),
            ("raise question", "Raise is not in the language"),
            ("x = {1, 2}", "Set is not in the language"),
            ("x = {a: a for a in question}", "DictComp is not in the language"),
            ("yield 1", "Yield is not in the language"),
            ("x = (y := 1)", "NamedExpr is not in the language"),
            ("x = [*question]", "Starred is not in the language"),
            ("def inner(): pass", "FunctionDef is not in the language"),
            ("class A: pass", "ClassDef is not in the language"),
            ("x = question.__class__", "there is no method '__class__'"),
            ("x = question.format", "there is no method 'format'"),
            ("x = question.split", "there is no method 'split'"),
            ("x = question.format(1)", "there is no method 'format'"),
            ("x = '%s'.encode()", "there is no method 'encode'"),
            ("x = __builtins__", "'__builtins__' is no name in the language"),
            ("_x = 1", "'_x' is no name in the language"),
            ("x = ask(question)(1)", "calls name a function, and have no keywords"),
            ("x = sorted(question, key=len)", "calls name a function, and have no keywords"),
            ("x = [a for a in question for b in question]", "a comprehension has one for"),
            ("x = y = 1", "an assignment has one target"),
            ("question.x = 1", "values are assigned to names and items"),
            ("x = question[::2]", "slices have no step"),
            ("x = question[0:1, 2]", "brackets hold one slice"),
            ("x = {**question}", "dictionaries are not unpacked"),
            ("x = b'1'", "constants are short texts, numbers up to 10**12"),
            ("x = ...", "constants are short texts, numbers up to 10**12"),
            ("x = 1e999", "constants are short texts, numbers up to 10**12"),
            ("x = 10000000000000", "constants are short texts, numbers up to 10**12"),
            ("x = 1j", "constants are short texts, numbers up to 10**12"),
            ("for x in question: pass\n    else: pass", "loops have no else"),
        ):
            with self.subTest(line=line):
                assert refuse(f"def solve(question):\n    {line}\n").startswith(f"line {2}: {said}"), line

    def test_what_stands_outside_functions(self) -> None:
        for text, said in (
            ("", "there is no function solve(question)"),
            ("def solve():\n    pass\n", "there is no function solve(question)"),
            ("def solve(a, b):\n    pass\n", "there is no function solve(question)"),
            ("solve = 1\n", "there is no function solve(question)"),
            ("print(1)\n", "line 1: only functions and constants may stand outside a function"),
            ("while True:\n    pass\n", "line 1: only functions and constants may stand outside a function"),
            ("async def solve(a):\n    pass\n", "line 1: only functions and constants may stand outside"),
            ("def solve(a=1):\n    pass\n", "line 1: functions have plain arguments and no decorators"),
            ("def solve(*a):\n    pass\n", "line 1: functions have plain arguments and no decorators"),
            ("@ask\ndef solve(a):\n    pass\n", "functions have plain arguments and no decorators"),
            ("def ask(a):\n    pass\n", "line 1: 'ask' is defined already"),
            ("def len(a):\n    pass\n", "line 1: 'len' is defined already"),
            ("def solve(a):\n    pass\n" * 2, "line 3: 'solve' is defined already"),
            ("def solve(_a):\n    pass\n", "line 1: '_a' is no name in the language"),
            ("def solve(a: __x__):\n    pass\n", "line 1: '__x__' is no name in the language"),
            ("def solve(", "line 1: this is no Python"),
            ("def solve(a):\n    return 1\n  x = 2\n", "line 3: this is no Python"),
            ("\x00", "this is no Python"),
        ):
            with self.subTest(text=text):
                assert said in refuse(text)


class BombTest(unittest.TestCase):
    """Each of them would take long, much memory or the evaluator's life."""

    def setUp(self) -> None:
        started = time.perf_counter()
        self.addCleanup(lambda: self.assertLess(time.perf_counter() - started, 2))  # noqa: PT009

    def test_texts_that_are_nested_deeply(self) -> None:
        for text in (
            "(" * 9_000,
            "x = " + "[" * 150 + "]" * 150,
            "x = " + "-" * 15_000 + "1",
            "x = " + "not " * 4_000 + "1",
            "x = 1" + "+1" * 8_000,
            "x = a" + ".a" * 8_000,
            "x = a" + "()" * 8_000,
            "x = " + "lambda:" * 2_500 + "1",
            "x = a" + "[0]" * 6_000,
            "x = " + "1 if 1 else " * 1_600 + "1",
            "def solve(q):\n" + "".join(" " * i + "if 1:\n" for i in range(1, 95)) + " " * 95 + "pass",
        ):
            with self.subTest(text=text[:20]):
                said = refuse(text)
                expected = r".*(no Python|nested deeper than 40 levels|at most 4000 parts).*"
                assert re.fullmatch(expected, said), said

    def test_long_texts(self) -> None:
        assert refuse("#" * 20_001) == "a scaffold has at most 20000 bytes"
        assert refuse("x = [" + "1," * 4_000 + "]") == "a scaffold has at most 4000 parts"
        assert refuse("x = " + "9" * 5_000) == "line 1: this is no Python"

    def test_endless_loops(self) -> None:
        for body in (
            "while True:\n        pass",
            "while 1:\n        x = [1] * 400",
            "x = [1]\n    for i in x:\n        x.append(i)\n    while x:\n        for i in x: pass",
            "for a in range(500):\n        for b in range(500):\n            ask(question)",
        ):
            with self.subTest(body=body):
                assert fail(body).endswith("a question takes at most 20000 steps")

    def test_recursion(self) -> None:
        assert fail("solve(question)") == "line 2: calls are nested deeper than 6"
        deep = "def solve(q):\n    return " + "(1 if solve(q) else " * 30 + "1" + ")" * 30
        assert trouble(deep) == "line 2: calls are nested deeper than 6"

    def test_deep_calls_within_the_limits_still_work(self) -> None:
        nest = "-" * 34 + "{}"
        functions = [f"def f{i}(q):\n    return {nest.format(f'f{i + 1}(q)')}\n" for i in range(1, 5)]
        text = "".join(functions) + "def f5(q):\n    return 1\ndef solve(q):\n    return f1(q)\n"
        assert interpreter.solve(language.parse(text), QUESTION, {}) == 1

    def test_large_values(self) -> None:
        for body, said in (
            ("x = 'a' * 1000000000", "the product has more than 2000 items or characters"),
            ("x = [0] * 1000000000", "the product has more than 500 items or characters"),
            ("x = (0,) * 501", "the product has more than 500 items or characters"),
            ("x = 'a' * 2000 + 'a'", "texts have at most 2000 characters"),
            ("x = [0] * 500 + [0]", "lists and dictionaries have at most 500 items"),
            ("x = range(1000000000000)", "range has at most 500 items"),
            ("x = range(0, 1000000000000)", "range has at most 500 items"),
            ("x = 'a' * 2000\n    x = x.replace('a', x)", "texts have at most 2000 characters"),
            ("x = 'a' * 900\n    x = x.join([x, x, x])", "texts have at most 2000 characters"),
            ("x = 'a'\n    while 1:\n        x += x", "texts have at most 2000 characters"),
            ("x = [1]\n    while 1:\n        x += x", "lists and dictionaries have at most 500 items"),
            ("x = 10\n    while 1:\n        x *= x", "an integer is beyond 10**12"),
            ("x = 10.0\n    while 1:\n        x *= x", "a number is not finite"),
            ("x = int(9.9 * 1000000000000)", "an integer is beyond 10**12"),
            ("x = exp(99999)", "this value does not fit here"),
            ("x = {}\n    for i in range(500): x[i] = 1\n    x[501] = 1", "have at most 500 items"),
            ("x = []\n    for i in range(500): x.append(i)\n    x.append(1)", "have at most 500 items"),
            ("x = [1]\n    x.append(x)\n    x = sorted(x)", "have an order"),
        ):
            with self.subTest(body=body):
                assert fail(body).endswith(said), fail(body)

    def test_lists_within_lists(self) -> None:
        build = "x = []\n    for i in range(400): x = [x, x]\n    "
        for tail, said in (
            ("y = x == x", "only numbers, texts, True, False and None are compared"),
            ("y = sorted([x, x])", "only numbers, texts and tuples of them have an order"),
            ("y = str(x)", "only numbers, texts, True, False and None become texts"),
            ("y = {x: 1}", "keys are numbers, texts, True, False or None"),
            ("y = counts([x])", "keys are numbers, texts, True, False or None"),
            ("y = x in [x]", "only numbers, texts, True, False and None are compared"),
            ("y = [x].count(x)", "keys are numbers, texts, True, False or None"),
        ):
            with self.subTest(tail=tail):
                assert fail(build + tail) == f"line 4: {said}"

    def test_attacks_on_the_time_have_few_rounds_of_a_question(self) -> None:
        for name, most in (
            ("sorted_tuples", 0),
            ("largest_tuple", 0),
            ("joined_nothing", 40),
            ("long_search", 10),
            ("many_names", 40),
        ):
            with self.subTest(name=name):
                assert count_rounds((HIDDEN / f"data/attacks/{name}/scaffold.txt").read_text()) <= most + 1

    def test_what_is_looked_through_is_paid_for(self) -> None:
        long = "    long, one, two = 'a' * 1999, 'a' + 'a' * 499, ['b' * 1000] * 500\n"
        for work, most in (
            ("sorted(two)", 0),
            ("max(two)", 1),
            ("max(long, long, long)", 16),
            ("long == long", 100),
            ("long < long", 100),
            ("one in one", 30),
            ("one in two", 30),
            ("long.split(one + 'b')", 20),
            ("long.replace(one + 'b', 'c')", 20),
            ("long.startswith(long)", 60),
            ("two.count(one)", 30),
        ):
            with self.subTest(work=work):
                text = f"def solve(question):\n{long}    while True:\n        ask(question)\n        {work}\n"
                assert count_rounds(text) <= most + 1, count_rounds(text)

    def test_what_a_scaffold_keeps_stays_small(self) -> None:
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for body in (
            "x = []\n    while 1: x.append('a' * 2000)",
            "x = {}\n    for i in range(500): x[i] = [[0] * 500, 'a' * 2000]",
            "x = [[0.5 * i for i in range(500)] for j in range(500)]",
        ):
            with self.subTest(body=body):
                tracemalloc.reset_peak()
                assert fail(body).endswith("a question takes at most 20000 steps")
                assert tracemalloc.get_traced_memory()[1] < 20_000_000

    def test_values_that_do_not_fit(self) -> None:
        for expression, said in (
            ("1 + 'a'", "numbers are calculated with; texts, lists and tuples are added and repeated"),
            (
                "'%9999999999d' % 1",
                "numbers are calculated with; texts, lists and tuples are added and repeated",
            ),
            ("[1] * 1.5", "texts and lists are multiplied by integers"),
            ("1 < 'a'", "this value does not fit here"),
            ("sorted([1, 'a'])", "this value does not fit here"),
            ("max([])", "this value does not fit here"),
            ("max()", "this function takes another number of arguments"),
            ("[1][5]", "there is no such item"),
            ("{}['a']", "there is no such item"),
            ("[].pop()", "there is no such item"),
            ("[1]['a']", "items are looked up by an integer, or in a dictionary by a key"),
            ("5[0]", "items are looked up by an integer, or in a dictionary by a key"),
            ("{1: 2}[0:1]", "only texts, lists and tuples have slices"),
            ("[1][1.5:]", "this value does not fit here"),
            ("len(5)", "only lists, tuples, dictionaries and texts have items"),
            ("sum(['a'])", "these are not all numbers"),
            ("sqrt(-1)", "this value does not fit here"),
            ("sqrt('a')", "this function takes a number"),
            ("round(1, 9999999)", "round takes a number and a few places"),
            ("int('9' * 1000)", "this text is no integer"),
            ("int('x')", "this value does not fit here"),
            ("range('a')", "range takes integers"),
            ("'a'.replace('', 'b')", "what is replaced is not empty"),
            ("'a'.split('')", "this value does not fit here"),
            ("(5).append(1)", "this method is one of lists"),
            ("[].get(1)", "this method is one of dictionaries"),
            ("[].lower()", "this method is one of texts, and takes texts"),
            ("-'a'", "only numbers have a minus"),
            ("nothing", "the name 'nothing' has no value"),
            ("open('x')", "there is no function 'open'"),
            ("eval('1')", "there is no function 'eval'"),
            ("getattr(question, 'x')", "there is no function 'getattr'"),
            ("solve()", "solve takes 1 arguments"),
            ("1 / 0", "division by zero"),
        ):
            with self.subTest(expression=expression):
                assert fail(f"x = {expression}") == f"line 2: {said}"

    def test_odd_corners_of_the_syntax(self) -> None:
        assert refuse("def solve(q):\n    x: int = 1\n") == "line 2: AnnAssign is not in the language"
        odd = "def solve(question: ask(1)) -> ask(2):\n    return '\\ud800' + str(calls_left())\n"
        assert take(odd).answers[0] == "\ud8002000"
        assert take("def solve(question):\n    return ask('\\ud800')\n").answers[0] is None

    def test_unpacking(self) -> None:
        assert fail("a, b = [1]") == "line 2: this value does not fit here"
        assert fail("a, b = 5") == "line 2: only lists, tuples, dictionaries and texts have items"
        assert fail("question[0] = 1") == "line 2: only items of lists and dictionaries can be set"


class HostileSubmissionTest(EvaluationCase):
    def test_missing(self) -> None:
        self.scaffold.unlink()
        self.assert_rejected("data/outputs/scaffold.txt is missing")

    def test_no_outputs(self) -> None:
        shutil.rmtree(self.outputs)
        self.assert_rejected("data/outputs/scaffold.txt is missing")

    def test_empty(self) -> None:
        self.scaffold.write_text("")
        self.assert_rejected("scaffold.txt: there is no function solve(question)")

    def test_half(self) -> None:
        text = self.scaffold.read_text()
        self.scaffold.write_text(text[: len(text) // 2])
        self.assert_rejected("scaffold.txt: ")

    def test_binary_junk(self) -> None:
        self.scaffold.write_bytes(os.urandom(64) + b"\xff\xfe\x00")
        self.assert_rejected("scaffold.txt is not UTF-8 text")

    def test_deep_json(self) -> None:
        self.scaffold.write_text("[" * 15_000)
        self.assert_rejected("scaffold.txt: line 1: this is no Python")

    def test_huge_file(self) -> None:
        with self.scaffold.open("wb") as file:
            file.truncate(10 * 2**30)
        self.assert_rejected("at most 20000 are read")

    def test_link_to_the_references(self) -> None:
        self.scaffold.unlink()
        self.scaffold.symlink_to(HIDDEN / "data/references/hidden_questions.tsv")
        self.assert_rejected("scaffold.txt is not a regular file")

    def test_pipe(self) -> None:
        self.scaffold.unlink()
        os.mkfifo(self.scaffold)
        self.assert_rejected("scaffold.txt is not a regular file")

    def test_folder(self) -> None:
        self.scaffold.unlink()
        self.scaffold.mkdir()
        self.assert_rejected("scaffold.txt is not a regular file")

    def test_code_that_would_run(self) -> None:
        self.scaffold.write_text("import os\nos.abort()\n")
        self.assert_rejected(
            "scaffold.txt: line 1: only functions and constants may stand outside a function"
        )

    def test_one_wine_for_all_scores_nothing(self) -> None:
        result = self.evaluate(f"def solve(question):\n    return '{EXAM.answers[0]}'\n")
        assert result["score"] == 0.0
        assert result["error"] is None

    def test_the_wine_of_the_question_scores_nothing(self) -> None:
        assert (
            self.evaluate("def solve(question):\n    return question.split(',')[0].split(' ')[3]\n")["score"]
            == 0
        )

    def test_the_slowest_scaffold_takes_seconds(self) -> None:
        started = time.perf_counter()
        result = self.evaluate("def solve(question):\n    while 1:\n        x = 1 < 2 < 3 < 4 < 5 < 6\n")
        assert result["score"] == 0.0
        assert "800 of 800 runs ended in an error" in result["message"]
        assert time.perf_counter() - started < 45


class DataTest(unittest.TestCase):
    def test_the_agent_has_the_same_laboratory(self) -> None:
        own = {path.name: path.read_bytes() for path in (HIDDEN / "task/lab").glob("*.py")}
        assert own == {path.name: path.read_bytes() for path in (GYM / LAB).glob("*.py")}
        assert len(own) == 6

    def test_sizes(self) -> None:
        lines = (GYM / "data/datasets/dev_questions.tsv").read_text().splitlines()
        assert len(lines) - 1 == len(EXAM.questions) == 400
        assert len((GYM / "data/datasets/dev_wines.csv").read_text().splitlines()) == 89
        assert len((HIDDEN / "data/references/hidden_wines.csv").read_text().splitlines()) == 91

    def test_no_hidden_wine_and_no_seed_is_where_an_agent_looks(self) -> None:
        lines = (HIDDEN / "data/references/hidden_wines.csv").read_text().splitlines()[1:]
        names = re.compile("|".join([*(line.split(",")[0] for line in lines), evaluation.SEED]))
        for folder in (GYM, HIDDEN / "solution"):
            for path in (path for path in folder.rglob("*") if path.is_file()):
                assert not names.search(path.read_bytes().decode("utf-8", "replace")), path

    def test_licence_stands_beside_the_data(self) -> None:
        text = (GYM / "data/datasets/README.md").read_text()
        assert "CC BY 4.0" in text
        assert "10.24432/C5PC7J" in text
        assert "simulated" in text


def take(text: str) -> trial.Outcome:
    return evaluation.take(EXAM, language.parse(text), evaluation.LEAN_CALLS)


def grade_with_right(share: float) -> float:
    right = round(share * len(EXAM.answers))
    answers = tuple(answer if index < right else None for index, answer in enumerate(EXAM.answers))
    outcome = trial.Outcome(answers=answers, calls=(1,) * len(answers), errors=(), steps=0)
    score = evaluation.grade(EXAM, outcome, outcome)["score"]
    assert isinstance(score, float)
    return score


def count_rounds(text: str) -> int:
    """Return how many calls a scaffold makes for a question before its steps are spent."""
    outcome = trial.run(language.parse(text), solver.Solver(EXAM.table, "test"), {"1": QUESTION}, 10_000)
    assert [str(error.args[0]) for error in outcome.errors] == ["a question takes at most 20000 steps"]
    return outcome.calls[0]


def compute(expression: str) -> object:
    scaffold = language.parse(f"def solve(question):\n    return {expression}\n")
    result: object = interpreter.solve(scaffold, QUESTION, {})
    return result


def refuse(text: str) -> str:
    """Return why a text is no scaffold."""
    try:
        language.parse(text)
    except values.ScaffoldError as error:
        return str(error)
    raise AssertionError(text)


def trouble(text: str) -> str:
    """Return what goes wrong when a scaffold has its first question."""
    scaffold = language.parse(text)
    question = {name: EXAM.questions[name] for name in list(EXAM.questions)[:1]}
    (error,) = trial.run(scaffold, solver.Solver(EXAM.table, "test"), question, 5).errors
    return str(error)


def fail(body: str) -> str:
    return trouble(f"def solve(question):\n    {body}\n")


if __name__ == "__main__":
    unittest.main()

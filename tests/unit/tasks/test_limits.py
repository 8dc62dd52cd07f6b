"""Limits are found in the ways in which people write them."""

from __future__ import annotations

import time

import pytest

from pytest_innovatorbench.tasks.limits import find_limits, finite_seconds
from pytest_innovatorbench.tasks.prose import sentences

HOUR = 3600.0


def read(text: str) -> dict[str, float]:
    return {kind: stated.value for kind, stated in find_limits(enumerate(text.split("\n"), 1)).items()}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Training-time limit: 48 hours", 48 * HOUR),
        ("Training-time limit: 48 hours.", 48 * HOUR),
        ("- **Training-time limit**: 48h", 48 * HOUR),
        ("1. Training: 48-hour limit", 48 * HOUR),
        ("Training must not exceed 1.5 h", 1.5 * HOUR),
        ("Training time: 1 h 30 min", 1.5 * HOUR),
        ("Training time: 1h30m", 1.5 * HOUR),
        ("Training time: 1 hour and 30 minutes", 1.5 * HOUR),
        ("Training time: an hour and a half", 1.5 * HOUR),
        ("Training takes at most half an hour", 0.5 * HOUR),
        ("Training takes at most .5 hrs", 0.5 * HOUR),
        ("Training takes at most 10 minutes", 600.0),
        ("Training takes at most ten minutes", 600.0),
        ("Training takes at most 1,000 seconds", 1000.0),
        ("Training takes at most 90 s", 90.0),
        ("Training takes at most 90 secs", 90.0),
        ("Training takes at most two days", 48 * HOUR),
        ("Training takes at most a week", 168 * HOUR),
        ("Training takes 4-6 hours", 6 * HOUR),
        ("Training-time limit: 48:00:00", 48 * HOUR),
        ("Fine-tuning time: 48 hours (2 days)", 48 * HOUR),
        ("48 hours are allowed for training", 48 * HOUR),
        ("The model has to be trained within 48 hours", 48 * HOUR),
        ("| Training time | 48 hours |", 48 * HOUR),
        ("| training time | evaluation time |\n| --- | --- |\n| 48 h | n/a |", 48 * HOUR),
        ("### Training\n\nAt most 48 hours.", 48 * HOUR),
        ("- Time for training:\n  - 48 hours", 48 * HOUR),
        ("Training may\ntake at most\n48 hours", 48 * HOUR),
        ("Each training step takes 2 seconds.\n\nTraining-time limit: 48 hours", 48 * HOUR),
        ("Training-time limit: none, nothing is trained", 0.0),
        ("No training is needed.", 0.0),
        ("There is no limit on training time", float("inf")),
        ("Training time is unlimited", float("inf")),
    ],
)
def test_training_time(text: str, seconds: float) -> None:
    assert read(text)["training_seconds"] == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "Train on 10m samples",
        "Train on 8 GPUs",
        "Train with 2d data, 8 h/w units and 5 m/s",
        "Training-time limit: 48",
        "Training uses 80 GPU hours",
        "The trained model has 8 hours of audio",
        "Full training and testing run: 16 hours in total",
        "48 hours",
        "",
    ],
)
def test_no_training_time(text: str) -> None:
    assert "training_seconds" not in read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Training is limited to 48 hours and evaluation to 10 minutes.", (48 * HOUR, 600.0)),
        ("48 hours for training and 10 minutes for evaluation.", (48 * HOUR, 600.0)),
        ("Training: 48 h; inference: 10 min", (48 * HOUR, 600.0)),
        ("Training and evaluation time: 2 hours each", (2 * HOUR, 2 * HOUR)),
        ("The trained model must be evaluated within 10 minutes", (None, 600.0)),
        ("Inference on the trained model must take at most 10 minutes", (None, 600.0)),
        ("Evaluation-time limit: testing after training takes at most 10 minutes", (None, 600.0)),
        ("Training-time limit: 2 hours for one run of choosing and testing", (2 * HOUR, None)),
        ("In /workspace, workers train for 2 hours", (2 * HOUR, None)),
    ],
)
def test_durations_belong_to_what_is_said_beside_them(
    text: str, expected: tuple[float | None, float | None]
) -> None:
    found = read(text)
    assert (found.get("training_seconds"), found.get("evaluation_seconds")) == expected
    assert "working_seconds" not in found


@pytest.mark.parametrize(
    ("text", "gpus", "memory"),
    [
        ("Number of GPUs: 8. Memory of each GPU: 80 GB.", 8, 80),
        ("- Number of GPUs: 8\n- Memory of each: 80 GB", 8, 80),
        ("| GPUs | 8 |\n| Memory of each GPU | 80 GB |", 8, 80),
        ("| number of GPUs | memory of each |\n|---|---|\n| 8 | 80 GB |", 8, 80),
        ("- GPUs: 4\n- GPU memory: 24576 MB", 4, 24),
        ("- **GPUs:** at most 4, 40 GiB each", 4, 40),
        ("- GPU count = 8 (80GB memory each)", 8, 80),
        ("### GPUs\n\n8, each with 80 GB", 8, 80),
        ("8 x 80GB", 8, 80),
        ("8\u00d780GB", 8, 80),
        ("8x80G", 8, 80),
        ("8 * A100 (80 GB)", 8, 80),
        ("8x NVIDIA H100 80GB", 8, 80),
        ("8x A100-80GB", 8, 80),
        ("80 GB x 8", 8, 80),
        ("A100 x 8, 40 GB each", 8, 40),
        ("8 GPUs with 80 GB each", 8, 80),
        ("8 GPUs (80 GB of memory per GPU)", 8, 80),
        ("8 NVIDIA H100 GPUs, each with 80 GB VRAM, and 500 GB of disk", 8, 80),
        ("8 80GB GPUs", 8, 80),
        ("two GPUs of 24 GiB", 2, 24),
        ("one 24 GB GPU", 1, 24),
        ("a single A100 GPU with 80 GB", 1, 80),
        ("A GPU with 80 GB", 1, 80),
        ("1 server with 8\u00d780GB, 1800 GB RAM", 8, 80),
        ("64 GB of RAM and 2 GPUs with 24 GB", 2, 24),
        ("no GPU", 0, 0),
        ("No GPUs are available.", 0, 0),
        ("The work is done without a GPU, with 4 GB of memory.", 0, 0),
        ("4 GB of memory, and no GPU", 0, 0),
        ("CPU only", 0, 0),
        ("CPU-only, 64 GB RAM", 0, 0),
        ("GPU: none", 0, 0),
        ("A GPU is not needed: CPU only", 0, 0),
        ("0 GPU", 0, 0),
        ("Number of GPUs: 0. Memory of each GPU: 0 GB. Done on the CPU, with 4 GB of memory.", 0, 0),
        ("Number of GPUs: 8", 8, None),
        ("Memory of each GPU: 80 GB", None, 80),
        ("Memory per GPU of 80 GB", None, 80),
        ("Number of GPUs: many", None, None),
        ("64 GB of memory, 2 CPU cores, 8 hours", None, None),
        ("Disk: 100 GB", None, None),
        ("GPU memory: 80", None, None),
        ("no more than 8 GPUs", 8, None),
    ],
)
def test_gpus(text: str, gpus: float | None, memory: float | None) -> None:
    found = read(text)
    assert (found.get("gpus"), found.get("gpu_memory_gb")) == (gpus, memory)


def test_limits_know_their_lines() -> None:
    text = "- Training may take\n  at most 48 hours.\n\nEvaluation: 60 s. GPUs:\n8, 80 GB\neach"
    found = find_limits(enumerate(text.split("\n"), start=11))
    assert {kind: stated.line for kind, stated in found.items()} == {
        "training_seconds": 12,
        "evaluation_seconds": 14,
        "gpus": 14,
        "gpu_memory_gb": 15,
    }


def test_only_times_that_are_finite() -> None:
    limits = find_limits([(1, "Training: no limit"), (2, ""), (3, "Evaluation: 60 s"), (4, "on 8 GPUs")])
    assert finite_seconds(limits) == {"evaluation_seconds": 60.0}


@pytest.mark.parametrize("line", ["# " + "time " * 9_999, "time " * 9_999 + "at most:"])
def test_a_long_heading_is_not_read_again_with_every_item(line: str) -> None:
    items = [(number, "- 5 hours") for number in range(2, 1_000)]
    read_with = [len(sentence.context) for sentence in sentences([(1, line), *items]) if sentence.is_item]
    assert len(read_with) == len(items)
    assert max(read_with) == 500


@pytest.mark.parametrize("unit", ["training ", "48 ", "GPU ", "8 x ", "a. B", "| ", "no ", "1 h "])
def test_a_long_line_takes_little_time(unit: str) -> None:
    started = time.perf_counter()
    read(unit * 2_000)
    assert time.perf_counter() - started < 3

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_innovatorbench.researchgym.computers.gpus import (
    Gpu,
    device_files,
    local_gpus,
    parse_gpus,
    visibility,
)

ANSWER = "0, GPU-aa, 24576\n1, GPU-bb, 81559\n"


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    local_gpus.cache_clear()
    yield
    local_gpus.cache_clear()


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an nvidia-smi of the test's own in front of all others."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_what_nvidia_smi_answers_is_read() -> None:
    assert parse_gpus(ANSWER) == (
        Gpu(index=0, uuid="GPU-aa", memory_gb=25.8),
        Gpu(index=1, uuid="GPU-bb", memory_gb=85.5),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("No devices were found\n", ()),
        ("x, GPU-aa, 1\n", ()),
        ("0, GPU-aa, [N/A]\n", (Gpu(index=0, uuid="GPU-aa"),)),
        ("warning\n0, GPU-aa, 1000\n1, GPU-bb\n", (Gpu(index=0, uuid="GPU-aa", memory_gb=1.0),)),
    ],
)
def test_what_is_no_gpu_is_passed_over(text: str, expected: tuple[Gpu, ...]) -> None:
    assert parse_gpus(text) == expected


def test_gpus_of_this_machine_are_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, f'echo "$*" >> {tmp_path}/asked; printf "{ANSWER}"', monkeypatch)
    assert [gpu.uuid for gpu in local_gpus()] == ["GPU-aa", "GPU-bb"]
    assert local_gpus() is local_gpus()
    query = "--query-gpu=index,uuid,memory.total --format=csv,noheader,nounits\n"
    assert (tmp_path / "asked").read_text() == query


def test_without_a_driver_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert local_gpus() == ()


def test_a_driver_that_fails_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, 'echo "NVIDIA-SMI has failed"; exit 9', monkeypatch)
    assert local_gpus() == ()


def test_programs_see_the_gpus_that_are_theirs_and_no_others() -> None:
    gpus = (Gpu(index=3, uuid="GPU-cc"), Gpu(index=1))
    assert visibility(gpus) == {"CUDA_VISIBLE_DEVICES": "GPU-cc,1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert visibility(()) == {"CUDA_VISIBLE_DEVICES": ""}


def test_device_files_are_those_of_the_gpus_and_the_common_ones(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    told = tmp_path / "gpus" / "0000:01:00.0" / "information"
    told.parent.mkdir(parents=True)
    told.write_text("Model: \t X\nGPU UUID: \t GPU-aa\nDevice Minor: \t 2\n")
    gpus = (Gpu(index=0, uuid="GPU-aa"), Gpu(index=1, uuid="GPU-bb"))
    found = device_files(gpus, dev=tmp_path, driver=tmp_path / "gpus")
    assert [file.name for file in found] == ["nvidia2", "nvidia1", "nvidiactl", "nvidia-uvm"]
    assert device_files((), dev=tmp_path, driver=tmp_path / "gpus") == ()

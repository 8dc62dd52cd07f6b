"""GPUs, as ``nvidia-smi`` tells of them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

QUERY = ("nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits")
_SECONDS = 30.0
_MIB = 2**20
_DEV = Path("/dev")
_DRIVER = Path("/proc/driver/nvidia/gpus")
# Without these no GPU can be used; the others are of a single one each.
_COMMON = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU.

    Attributes:
        index: Its number on its computer.
        uuid: Its name in all the world, if known.
        memory_gb: Its memory in GB, 0 if not known.
    """

    index: int
    uuid: str = ""
    memory_gb: float = 0.0

    @property
    def visible(self) -> str:
        """How ``CUDA_VISIBLE_DEVICES`` names it, also where others are not to be seen."""
        return self.uuid or str(self.index)


def parse_gpus(text: str) -> tuple[Gpu, ...]:
    """Read what ``nvidia-smi`` answers to `QUERY`; lines that are none are passed over."""
    rows = ([field.strip() for field in line.split(",")] for line in text.splitlines())
    return tuple(
        Gpu(index=int(row[0]), uuid=row[1], memory_gb=_gigabytes(row[2]))
        for row in rows
        if len(row) == len(Gpu.__dataclass_fields__) and row[0].isdecimal()
    )


def _gigabytes(mebibytes: str) -> float:
    return round(int(mebibytes) * _MIB / 1e9, 1) if mebibytes.isdecimal() else 0.0


@cache
def local_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs of this machine, looked for once per process; without a driver there are none."""
    try:
        done = subprocess.run(QUERY, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    return parse_gpus(done.stdout)


def visibility(gpus: tuple[Gpu, ...]) -> dict[str, str]:
    """Return the variables by which programs see these GPUs and no others."""
    # CUDA counts by speed unless told otherwise, nvidia-smi by slot.
    order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if gpus else {}
    return {"CUDA_VISIBLE_DEVICES": ",".join(gpu.visible for gpu in gpus), **order}


def device_files(gpus: tuple[Gpu, ...], *, dev: Path = _DEV, driver: Path = _DRIVER) -> tuple[Path, ...]:
    """Return the device files through which programs reach these GPUs, as far as there are any.

    Args:
        gpus: GPUs of this machine.
        dev: The folder of devices.
        driver: Where the driver tells of its GPUs, since their files are not numbered by slot.
    """
    if not gpus:
        return ()
    minors = _minors(driver)
    names = [f"nvidia{minors.get(gpu.uuid, gpu.index)}" for gpu in gpus]
    return tuple(dev / name for name in (*names, *_COMMON) if (dev / name).exists())


def _minors(driver: Path) -> dict[str, int]:
    found = {}
    for file in driver.glob("*/information"):
        pairs = (line.partition(":") for line in file.read_text("utf-8", "replace").splitlines())
        told = {key.strip(): value.strip() for key, _, value in pairs}
        if told.get("Device Minor", "").isdecimal():
            found[told.get("GPU UUID", "")] = int(told["Device Minor"])
    return found

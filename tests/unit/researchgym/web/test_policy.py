"""Which pages an agent may see."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from pytest_innovatorbench.researchgym.web.policy import Policy, RefusedError, as_entry, is_public

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
    assert policy.check("http://arxiv.org/list/cs.LG").port == 80
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

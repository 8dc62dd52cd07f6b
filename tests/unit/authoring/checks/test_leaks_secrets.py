"""Secrets are found in all that is published, and what only looks like one is not."""

from __future__ import annotations

import sys
import zipfile

import pytest

from pytest_innovatorbench.authoring.checks import leaks_secrets
from tests.unit.authoring.good import Good
from tests.unit.authoring.leaky import found, only

# In pieces, so that nobody takes this file for one that gives secrets away.
AWS = "AKIA" + "Q3EGRIVZ7N5LPX2D"
GITHUB = "ghp_" + "a8Jk2LmN4pQr6StU8vWx0YzA2bCd4EfGh6Ij"
OPENAI = "sk-" + "Ab3dEf6hIj9kLm2nOp5q" + "T3BlbkFJ" + "Rs8tUv1wXy4zAb7cDe0f"
PRIVATE = "-----BEGIN " + "RSA PRIVATE KEY-----"
BASIC = "https://bot:" + "hunter2zz@example.org/x"
TELEGRAM = "110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawx"


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        (AWS, "AWS Access Key"),
        (GITHUB, "GitHub Token"),
        (OPENAI, "OpenAI Token"),
        (PRIVATE, "Private Key"),
        (BASIC, "Basic Auth Credentials"),
        (TELEGRAM, "Telegram Bot Token"),
    ],
)
def test_secrets_known_by_their_form(good: Good, secret: str, kind: str) -> None:
    script = good.gym / "task" / "scripts" / "run.sh"
    script.write_text(f"{script.read_text()}{secret}\n")
    finding = only(good, "IB507")
    assert finding.message == f"this line holds what looks like a secret ({kind})"
    assert (finding.file, finding.severity) == ("gym/toy/task/scripts/run.sh", "error")
    assert finding.line == len(script.read_text().splitlines())
    assert finding.remedy == "remove it, and revoke it if it has been published"


def test_what_is_named_like_a_password_is_a_warning(good: Good) -> None:
    script = good.evaluations / "data" / "make_data.py"
    script.write_text('"""Make data."""\n\nDB_PASSWORD = "x9!kf02mm"\n')
    finding = only(good, "IB507")
    assert finding.message == "this line holds what looks like a secret (Secret Keyword)"
    assert (finding.file, finding.line) == ("evaluations/toy/data/make_data.py", 3)
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "line",
    [
        'API_KEY = "<your key>"',
        'API_KEY = "your-api-key-here"',
        'password = "${PASSWORD}"',
        'password = "changeme"',
        'secret = "xxxxxxxx"',
        'token = os.environ["API_KEY"]',
        'api_key = get_key("some_name_of_it")',
        "password = input()",
        "COMMIT = '3f786850e387550fdab836ed7e6dc881de23001b'",
        "SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        f"key = '{AWS}'  # pragma: allowlist secret",
        "HOST = '8.8.8.8'",
    ],
)
def test_what_is_no_secret(good: Good, line: str) -> None:
    script = good.evaluations / "data" / "make_data.py"
    script.write_text(f'"""Make data."""\n\n{line}\n')
    assert found(good) == {}


def test_data_may_speak_of_passwords_but_hold_no_keys(good: Good) -> None:
    train = good.gym / "data" / "datasets" / "talk.jsonl"
    train.write_text('{"id": 1, "text": "t", "password": "x9!kf02mm"}\n{"id": 2, "text": "u"}\n')
    assert found(good) == {}
    train.write_text(train.read_text() + f'{{"id": 3, "text": "use {AWS}"}}\n')
    finding = only(good, "IB507")
    assert (finding.file, finding.line) == ("gym/toy/data/datasets/talk.jsonl", 3)


@pytest.mark.parametrize("place", ["description", "test", "hint", "solution"])
def test_all_that_is_published_is_looked_through(good: Good, place: str) -> None:
    file = {
        "description": good.description,
        "test": good.root / "tests" / "test_toy.py",
        "hint": good.evaluations / "hint.md",
        "solution": good.evaluations / "solution" / "run.sh",
    }[place]
    file.write_text(f"{file.read_text()}\n# {GITHUB}\n")
    finding = only(good, "IB507")
    assert finding.file == file.relative_to(good.root).as_posix()
    assert finding.line == len(file.read_text().splitlines())


def test_archives_are_looked_into(good: Good) -> None:
    with zipfile.ZipFile(good.gym / "data" / "datasets" / "more.zip", "w") as archive:
        archive.writestr("etc/deploy.cfg", f"# nothing\nkey: {AWS}\n")
    finding = only(good, "IB507")
    name = "gym/toy/data/datasets/more.zip"
    assert finding.message == f"{name}!etc/deploy.cfg holds what looks like a secret (AWS Access Key)"
    assert (finding.file, finding.line) == (name, None)


def test_one_secret_in_a_line_of_a_megabyte(good: Good) -> None:
    text = "[" + ", ".join(['"word"'] * 100_000) + f', "{AWS}"]'
    (good.gym / "data" / "datasets" / "words.json").write_text(text)
    assert only(good, "IB507").line == 1


def test_without_detect_secrets_the_rule_says_how_to_get_it(
    good: Good, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("detect_secrets")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "detect_secrets", None)
    leaks_secrets._scanner.cache_clear()
    try:
        assert good.skipped("IB507") == (
            "secrets are not looked for without detect-secrets: pip install 'pytest-innovatorbench[secrets]'"
        )
    finally:
        leaks_secrets._scanner.cache_clear()

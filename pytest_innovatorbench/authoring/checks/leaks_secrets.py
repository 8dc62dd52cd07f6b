"""Rule on secrets: keys, tokens and passwords of authors have no place in a task."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_innovatorbench.authoring.checks.leaks_evidence import evidence_of
from pytest_innovatorbench.authoring.findings import Finding, NotCheckedError
from pytest_innovatorbench.authoring.model import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from detect_secrets.plugins.base import BasePlugin

    from pytest_innovatorbench.authoring.contents import Content
    from pytest_innovatorbench.authoring.subject import Subject

_INSTALL = "pip install 'pytest-innovatorbench[secrets]'"
_KEYWORD = "Secret Keyword"
_ANCHORED = frozenset({"Telegram Bot Token"})  # a whole line, so not found among others
_NO_SECRETS = frozenset({"Public IP (ipv4)"})
# What any secret holds that is known by its form, so that most lines need no closer look.
_FORM = re.compile(r"[A-Za-z0-9_+/=-]{16}|-----BEGIN|://[^\s/:]*:[^\s/@]+@")
_PIECE, _OVERLAP = 4000, 400  # characters of a line that are looked at in one go
_WORD = re.compile(r"[^\W_]+")
_ALLOWED = re.compile(r"pragma: ?allowlist[ -]secret")
_PLACEHOLDERS = frozenset(
    {"your", "my", "example", "dummy", "fake", "changeme", "placeholder", "redacted", "none", "null", "todo"}
    | {"password", "secret", "token", "here", "insert", "replace"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scanner:
    """What detect-secrets knows.

    Attributes:
        forms: Detectors of secrets that are known by their form.
        keywords: The detector of what is named like a password.
        words: Those names.
    """

    forms: tuple[BasePlugin, ...]
    keywords: BasePlugin
    words: re.Pattern[str]


def _check(subject: Subject) -> Iterator[Finding]:
    scanner = _scanner()
    evidence = evidence_of(subject)
    seen: set[str] = set()
    for content in (*evidence.gym.files, *evidence.hidden.files):
        if content.text and content.text not in seen:
            seen.add(content.text)
            yield from _in_file(scanner, content, content.text)
    for line, kind in _in_text(scanner, subject.read_text(subject.test_file) or ""):
        yield _finding(kind, "", subject.shown(subject.test_file), line)


def _in_file(scanner: _Scanner, content: Content, text: str) -> Iterator[Finding]:
    is_data = any(len(part.table.columns) > 1 for part in content.parts)
    has_lines = not content.is_inside
    for line, kind in _in_text(scanner, text, is_data=is_data):
        yield _finding(kind, "" if has_lines else content.shown, content.file, line if has_lines else None)


def _finding(kind: str, inside: str, file: str, line: int | None) -> Finding:
    # What it is by its form is sure; what only has a name such as "password" is likely.
    return Finding(
        message=f"{inside or 'this line'} holds what looks like a secret ({kind})",
        file=file,
        line=line,
        severity="warning" if kind == _KEYWORD else None,
    )


def _in_text(scanner: _Scanner, text: str, *, is_data: bool = False) -> Iterator[tuple[int, str]]:
    """Yield line and kind of each secret, one a line. Data speaks of passwords without giving any away."""
    lines = list(_lines_at(text, (match.start() for match in _FORM.finditer(text))))
    whole = "\n".join(line for _, line in lines)
    likely = [
        form for form in scanner.forms if form.secret_type in _ANCHORED or any(form.analyze_string(whole))
    ]
    kinds = {number: kind for number, line in lines if likely for kind in _kinds(likely, line)}
    spoken = () if is_data else _lines_at(text, (match.start() for match in scanner.words.finditer(text)))
    for number, line in spoken:
        if number not in kinds and any(_is_password(scanner, piece) for piece in _pieces(line)):
            kinds[number] = scanner.keywords.secret_type
    yield from sorted(kinds.items())


def _lines_at(text: str, places: Iterable[int]) -> Iterator[tuple[int, str]]:
    number, begin, end = 1, 0, -1
    for place in places:
        if place > end:
            line = text.rfind("\n", 0, place) + 1
            number += text.count("\n", begin, line)
            begin, end = line, text.find("\n", place) % (len(text) + 1)
            yield number, text[begin:end]


def _pieces(line: str) -> Iterator[str]:
    """Yield what to look at in one go: nothing of a line that says it is harmless."""
    for at in range(0, 0 if _ALLOWED.search(line) else len(line), _PIECE):
        yield line[at : at + _PIECE + _OVERLAP]


def _kinds(forms: Iterable[BasePlugin], line: str) -> Iterator[str]:
    # Strings are analysed, not lines, which could ask a server whether a secret is valid.
    for piece in _pieces(line):
        yield from (form.secret_type for form in forms if any(form.analyze_string(piece)))


def _is_password(scanner: _Scanner, line: str) -> bool:
    return any(not _is_harmless(secret, line) for secret in scanner.keywords.analyze_string(line))


def _is_harmless(secret: str, line: str) -> bool:
    """Tell what stands for a password, or says where one is, from one."""
    from detect_secrets.filters import heuristic  # noqa: PLC0415 - see _scanner

    tells = (
        heuristic.is_templated_secret,
        heuristic.is_prefixed_with_dollar_sign,
        heuristic.is_sequential_string,
        heuristic.is_not_alphanumeric_string,
        heuristic.is_potential_uuid,
    )
    spoken = {word.casefold() for word in _WORD.findall(secret)}
    told = any(tell(secret) for tell in tells) or bool(spoken & _PLACEHOLDERS) or len(set(secret)) == 1
    return told or heuristic.is_indirect_reference(line)


@lru_cache(maxsize=1)
def _scanner() -> _Scanner:
    try:
        from detect_secrets.core.plugins import util  # noqa: PLC0415 - it takes a tenth of a second
        from detect_secrets.plugins.base import RegexBasedDetector  # noqa: PLC0415
        from detect_secrets.plugins.keyword import DENYLIST, KeywordDetector  # noqa: PLC0415
    except ImportError:
        raise NotCheckedError(f"secrets are not looked for without detect-secrets: {_INSTALL}") from None
    known: Iterable[type[BasePlugin]] = util.get_mapping_from_secret_type_to_class().values()
    forms = [kind() for kind in known if issubclass(kind, RegexBasedDetector)]
    return _Scanner(
        forms=tuple(form for form in forms if form.secret_type not in _NO_SECRETS),
        keywords=KeywordDetector(),
        words=re.compile("|".join(DENYLIST), re.IGNORECASE),
    )


RULES = (
    Rule(
        code="IB507",
        name="secrets",
        summary="No key, token or password is in the task, its test included.",
        why=(
            "Tasks are published and agents read them. What is known by its form, such as a key of a cloud "
            "service, is looked for everywhere, what is only named like a password outside data. A comment "
            "`pragma: allowlist secret` in the line spares what is none."
        ),
        remedy="remove it, and revoke it if it has been published",
        check=_check,
    ),
)

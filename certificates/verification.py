"""What a scanned code is worth: six numbered steps, each with its own finding, and one verdict.

    1 readable    the text is a code of a known format
    2 known_key   it names a key of the registry, and was issued in that key's period
    3 signature   the key signed exactly these facts
    4 on_record   the registry holds this certificate
    5 unaltered   what it holds is what was signed
    6 status      not revoked, superseded, suspended or expired

The first step that fails decides, and later ones are not reached. Without a registry (offline, with
a saved key file) steps 4 to 6 are unknown: the best verdict is then ``authentic``, never ``valid``.
The verdict ``expired`` is given offline too, since the last day is signed.

A forgery is an ordinary verdict; nothing here raises for what was scanned, and nothing is written.
Beside the verdict stands whether the base was listed when the class began. It never unmakes
``valid``: a class taught out after delisting counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal, Protocol, get_args

from certificates import token
from certificates.signing import KeyRing
from certificates.verdicts import (
    BASE_WORDS,
    FAILED,
    FINDINGS,
    NOT_REACHED,
    NOT_REACHED_WORDS,
    PASSED,
    STEPS,
    UNKNOWN,
    VERDICTS,
    WORDS_OF_KIND,
    BaseCase,
    Outcome,
    StepCode,
    VerdictCode,
    Words,
)
from skills_registry.certification.record import OnRecord, Status
from skills_registry.certification.statement import Statement, Unreadable
from skills_registry.foundation.identifiers import certificate_number

#: Statuses on record that end a certificate's use, the weightiest first; expiry comes after them.
_NO_LONGER_GOOD: tuple[Literal["revoked", "superseded", "suspended"], ...] = (
    "revoked",
    "superseded",
    "suspended",
)


class Registry(Protocol):
    """The record, as far as a check needs it."""

    def find(self, statement_id: bytes) -> OnRecord | None:
        """What is on record under the 16 bytes of a statement's id."""


@dataclass(frozen=True)
class Facts:
    """What a certificate says of itself, from its signed statement; nothing about the holder."""

    number: str
    kind: str
    base_number: int
    occupation_edition: str
    occupation_code: str
    level: str
    class_hours: int
    issued_on: date
    expires_on: date | None

    @classmethod
    def of(cls, statement: Statement) -> Facts:
        """The facts of a statement; ``number`` gets its check digit."""
        return cls(
            number=certificate_number(str(statement.division), statement.year, statement.serial),
            kind=statement.kind,
            base_number=statement.base_number,
            occupation_edition=statement.occupation_edition,
            occupation_code=statement.occupation_code,
            level=statement.level,
            class_hours=statement.class_hours,
            issued_on=statement.issued_on,
            expires_on=statement.expires_on,
        )


@dataclass(frozen=True)
class Step:
    """One numbered step and what it found."""

    number: int
    code: StepCode
    outcome: Outcome

    def sentence(self, language: str = "zh") -> str:
        """What was found, in Chinese, or in English when ``language`` is ``"en"``."""
        words = NOT_REACHED_WORDS if self.outcome == NOT_REACHED else FINDINGS[self.code, self.outcome]
        return words[language == "en"]


@dataclass(frozen=True)
class Verdict:
    """What a code is worth on one day.

    ``facts`` are there once the signature holds and the record does not contradict it; ``record``
    once the record equals what was signed.
    """

    code: VerdictCode
    steps: tuple[Step, ...]
    facts: Facts | None = None
    record: OnRecord | None = None

    @property
    def alarm(self) -> bool:
        """Whether a key or the record itself may have been tampered with, so that the issuer must know."""
        return VERDICTS[self.code].alarm

    @property
    def base_listed_at_start(self) -> bool | None:
        """Whether the base was listed when the class began; None for an award, and where nothing was compared."""
        return None if self.record is None else self.record.base_listed_at_start

    @property
    def base_left_on(self) -> date | None:
        """The first day on which the base was no longer listed, if it has left the list."""
        return None if self.record is None else self.record.base_left_on

    @property
    def superseded_by(self) -> str | None:
        """The number of the certificate that replaced this one."""
        return None if self.record is None else self.record.superseded_by

    @property
    def words(self) -> Words:
        """What this verdict says: of a base's plaque, or an award, in words of its own."""
        own = {} if self.facts is None else WORDS_OF_KIND.get(self.facts.kind, {})
        return own.get(self.code, VERDICTS[self.code])

    def heading(self, language: str = "zh") -> str:
        """The verdict in a few words."""
        words = self.words
        return words.heading_en if language == "en" else words.heading_zh

    def sentence(self, language: str = "zh") -> str:
        """The verdict in full sentences, saying what to do."""
        words = self.words
        newer, expires = self.superseded_by, None if self.facts is None else self.facts.expires_on
        return (words.en if language == "en" else words.zh).format(
            newer_zh=f"，新证书编号为{newer}" if newer else "",
            newer_en=f"; the new number is {newer}" if newer else "",
            expires_zh=_day_zh(expires),
            expires_en=expires,
        )

    def base_sentence(self, language: str = "zh") -> str:
        """The fact about the base beside the verdict; empty for an award, and where nothing was compared."""
        if self.record is None or self.record.base_listed_at_start is None:
            return ""
        left = self.record.base_left_on
        words = BASE_WORDS[self._base_case(left) if self.record.base_listed_at_start else "not_listed"]
        return words[language == "en"].format(left_zh=_day_zh(left), left_en=left)

    def _base_case(self, left: date | None) -> BaseCase:
        if left is None:
            return "listed"
        return "left" if self.facts is None or self.facts.issued_on < left else "taught_out"

    def document(self, language: str = "zh") -> dict[str, Any]:
        """The verdict as plain values for JSON; days are ISO text."""
        facts = None if self.facts is None else asdict(self.facts)
        return {
            "verdict": self.code,
            "alarm": self.alarm,
            "heading": self.heading(language),
            "sentence": self.sentence(language),
            "steps": [asdict(step) | {"sentence": step.sentence(language)} for step in self.steps],
            "facts": facts and {name: _plain(value) for name, value in facts.items()},
            "base_listed_at_start": self.base_listed_at_start,
            "base_left_on": _plain(self.base_left_on),
            "superseded_by": self.superseded_by,
        }


def check(code: str, *, keys: KeyRing, registry: Registry | None, on: date) -> Verdict:
    """Judge a code on one day of Asia/Shanghai; without a registry, offline.

    ``code`` is the bare text of digits: what a scanner gives goes through ``token.code_from`` first.
    """
    try:
        statement, body, signature = token.decode(code)  # 1 readable
    except Unreadable:
        return _verdict("unreadable", FAILED)
    finding = _known_key(statement, keys)  # 2 known key, in its period
    if finding == UNKNOWN and registry is not None and keys.find(statement.key_id) is None:
        finding = FAILED  # the registry knows all its keys; only a saved file can be older
    if finding != PASSED:
        return _verdict("forged" if finding == FAILED else "unknown_key", PASSED, finding)
    key = keys.find(statement.key_id)
    if key is None or not keys.genuine(key, body, signature):  # 3 signature
        return _verdict("forged", PASSED, PASSED, FAILED)
    if registry is None:
        return _offline(statement, on)
    record = registry.find(statement.id)
    if record is None:  # 4 on record
        return _verdict("not_on_record", PASSED, PASSED, PASSED, FAILED)
    if not _unaltered(record, body, signature):  # 5 unaltered
        return _verdict("altered", PASSED, PASSED, PASSED, PASSED, FAILED)
    standing = _standing(record, statement, on)  # 6 status
    outcome = PASSED if standing == "valid" else FAILED
    facts = Facts.of(statement)
    return _verdict(standing, *[PASSED] * 5, outcome, facts=facts, record=record)


def _known_key(statement: Statement, keys: KeyRing) -> Outcome:
    key = keys.find(statement.key_id)
    if key is None or not keys.can_check(key):
        return UNKNOWN
    return PASSED if key.in_period(statement.issued_on) else FAILED


def _offline(statement: Statement, on: date) -> Verdict:
    code: VerdictCode = "expired" if _is_over(statement, on) else "authentic"
    status = FAILED if code == "expired" else UNKNOWN
    return _verdict(code, *[PASSED] * 3, UNKNOWN, UNKNOWN, status, facts=Facts.of(statement))


def _unaltered(record: OnRecord, body: bytes, signature: bytes) -> bool:
    """The stored bytes, those made again from the columns and those scanned are all the same.

    A status outside the lifecycle was written past the registry, so that record is altered too.
    """
    same = record.statement == body and record.derived == body and record.signature == signature
    return same and record.status in get_args(Status)


def _standing(record: OnRecord, statement: Statement, on: date) -> VerdictCode:
    marks = {record.status} | ({"superseded"} if record.superseded_by else set())
    for status in _NO_LONGER_GOOD:
        if status in marks:
            return status
    return "expired" if _is_over(statement, on) else "valid"


def _is_over(statement: Statement, on: date) -> bool:
    return statement.expires_on is not None and on > statement.expires_on


def _verdict(
    code: VerdictCode, *outcomes: Outcome, facts: Facts | None = None, record: OnRecord | None = None
) -> Verdict:
    padded = [*outcomes, *[NOT_REACHED] * (len(STEPS) - len(outcomes))]
    steps = tuple(
        Step(number, step, outcome)
        for number, (step, outcome) in enumerate(zip(STEPS, padded, strict=True), start=1)
    )
    return Verdict(code, steps, facts, record)


def _day_zh(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value

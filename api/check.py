"""``skills-registry check``: every certificate derived again from raw rows, with code of its own.

It shares nothing with the code that issues: raw SQL, its own reading of the statement's bytes, its own
check digit, its own opening of sealed names. A mistake or a hand in the issuing code, or in the database,
shows as a finding that names the row.

    1 statement   the 64 signed bytes say what the columns say
    2 seal        the key named in them signed exactly these bytes
    3 printed     the commitment binds them to the name and every printed text
    4 number      the written number, its check digit, and a series without gaps or doubles
    5 status      the status is the one that the last step left; who replaces whom agrees
    6 ground      everyone certified had passed in an approved class, and everyone who passed is certified;
                  awards are those that the scores and the rules of their event make (``check_awards.py``)
"""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api import check_awards
from api.services import Services
from skills_registry.foundation.storage import database

#: Level → digit in the statement, and the words on paper.
_LEVELS = {
    "": (0, ""),
    "level5_junior": (5, "五级/初级工"),
    "level4_intermediate": (4, "四级/中级工"),
    "level3_senior": (3, "三级/高级工"),
    "level2_technician": (2, "二级/技师"),
    "level1_senior_technician": (1, "一级/高级技师"),
}
_KINDS = {"training_completion": 1, "competition_award": 2}
_PREFIX = b"skills-registry/statement/1\0"

_CERTIFICATES = """
SELECT c.id, c.statement_id, c.number, c.division_code, c.year, c.serial, c.kind, c.enrolment_id,
       c.training_class_id, c.person_id, c.base_id, c.name, c.template, c.base_name, c.subject, c.entry_id,
       c.competition, c.prize,
       c.occupation_edition, c.occupation_code, c.level, c.class_hours, c.starts_on, c.ends_on, c.issued_on,
       c.expires_on, c.registered_with, c.status_index, c.statement, c.key_id, c.signature, c.status,
       c.replaces_id, COALESCE(b.number, 0) AS base_number, e.person_id AS enrolled_person,
       e.training_class_id AS enrolled_class, t.status AS class_status
FROM certificate c LEFT JOIN base b ON b.id = c.base_id LEFT JOIN enrolment e ON e.id = c.enrolment_id
LEFT JOIN training_class t ON t.id = c.training_class_id ORDER BY c.id
"""


@dataclass(frozen=True)
class Finding:
    """What is wrong with one row; no personal data."""

    table: str
    row: str
    what_zh: str
    what_en: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.what_zh} {self.what_en}"


def check(service: Services) -> Iterator[Finding]:
    """Every finding; none means that the register is what it says."""
    keys = {key.id: key.public_key for key in service.key_ring()}
    rows = list(_rows(_CERTIFICATES))
    steps = _last_steps()
    for row in rows:
        yield from _statement(row)
        yield from _seal(row, keys)
        yield from _printed(row, service)
        yield from _written_number(row)
        yield from _status(row, steps, rows)
        yield from _ground(row)
    # Plaques take their numbers from the same series.
    plaques = list(_rows("SELECT division_code, year, serial, status_index FROM plaque"))
    yield from _series([*rows, *plaques])
    yield from _uncertified()
    yield from (Finding(*found) for found in check_awards.found(rows, _rows))


def _rows(query: str) -> Iterator[Mapping[str, Any]]:
    cursor = database.execute_sql(query)
    names = [column[0] for column in cursor.description]
    for values in cursor.fetchall():
        plain = (bytes(value) if isinstance(value, memoryview) else value for value in values)
        yield dict(zip(names, plain, strict=True))


def _day(value: Any) -> date | None:
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value)[:10])


def _finding(row: Mapping[str, Any], zh: str, en: str) -> Finding:
    return Finding("certificate", str(UUID(str(row["id"]))), zh, en)


def _statement(row: Mapping[str, Any]) -> Iterator[Finding]:
    body, signed = row["statement"], {}
    if len(body) != 64 or body[0] != 1:
        yield _finding(row, "声明不是第1版格式", "the statement is not of format 1")
        return
    occupation = str(row["occupation_code"]).replace("-", "")
    numbers = {
        (21, 24): int(row["division_code"]),
        (24, 26): row["year"],
        (26, 29): row["serial"],
        (29, 30): _KINDS.get(row["kind"], -1),
        (30, 32): _days(row["issued_on"]),
        (32, 34): _days(row["expires_on"]),
        (34, 37): row["base_number"],
        (37, 38): int(row["occupation_edition"]) - 1900 if row["occupation_edition"] else 0,
        (38, 41): int(occupation) if occupation else 0,
        (41, 42): _LEVELS.get(row["level"], (-1, ""))[0],
        (42, 44): row["class_hours"],
        (44, 48): row["status_index"],
    }
    signed = {place: int.from_bytes(body[slice(*place)]) for place in numbers}
    if signed != numbers or body[1:5] != row["key_id"] or body[5:21] != row["statement_id"]:
        yield _finding(row, "登记内容与签名内容不一致", "the columns differ from what was signed")


def _days(value: Any) -> int:
    day = _day(value)
    return 0 if day is None else (day - date(2000, 1, 1)) // timedelta(days=1)


def _seal(row: Mapping[str, Any], keys: Mapping[bytes, bytes]) -> Iterator[Finding]:
    public = keys.get(row["key_id"])
    if public is None:
        yield _finding(row, "签名密钥未公布", "its key is not among the published ones")
        return
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(row["signature"], _PREFIX + row["statement"])
    except InvalidSignature:
        yield _finding(row, "签名不正确", "the signature does not hold")


def _printed(row: Mapping[str, Any], service: Services) -> Iterator[Finding]:
    name = _opened(row, service)
    if name is None:
        yield _finding(row, "姓名密文被改动", "the sealed name was changed")
        return
    texts = _award_texts(row) if row["kind"] == "competition_award" else _training_texts(row)
    texts |= {"name": name, "registered_with": row["registered_with"]}
    canonical = json.dumps(texts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    message = b"skills-registry/commitment/1\0" + row["statement_id"] + canonical
    if hmac.digest(service.vault.commitment_key, message, sha256)[:16] != row["statement"][48:]:
        yield _finding(row, "印制内容与签名承诺不一致", "the printed texts differ from the commitment")


def _training_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = ("template", "kind", "number", "base_name", "subject", "occupation_code", "class_hours")
    texts = {column: row[column] for column in columns}
    days = {column: _day(row[column]) for column in ("starts_on", "ends_on", "issued_on", "expires_on")}
    texts |= {column: None if day is None else day.isoformat() for column, day in days.items()}
    return texts | {"level": _LEVELS.get(row["level"], (0, "?"))[1]}


def _award_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = ("template", "kind", "number", "competition", "subject", "prize")
    days = {column: _day(row[column]) for column in ("starts_on", "ends_on", "issued_on")}
    dates = {column: None if day is None else day.isoformat() for column, day in days.items()}
    return {column: row[column] for column in columns} | dates | {"organiser": row["base_name"]}


def _opened(row: Mapping[str, Any], service: Services) -> str | None:
    sealed, place = row["name"], b"certificate\0name\0" + UUID(str(row["id"])).hex.encode()
    key = service.vault.field_keys.get(sealed[0])
    try:
        return AESGCM(key or b"\0" * 32).decrypt(sealed[1:13], sealed[13:], place).decode()
    except (InvalidTag, UnicodeDecodeError):
        return None


def _written_number(row: Mapping[str, Any]) -> Iterator[Finding]:
    digits = f"{row['division_code']}{row['year']:04}{row['serial']:06}"
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    written = f"{row['division_code']}-{row['year']:04}-{row['serial']:06}-{(11 - product) % 10}"
    if written != row["number"]:
        yield _finding(row, "证书编号写法不符", "the written number is not that of its parts")


def _last_steps() -> dict[str, str]:
    return {
        str(UUID(str(row["record_id"]))): row["to"]
        for row in _rows(
            'SELECT record_id, "to" FROM step WHERE noun = \'certificate\' AND "to" IS NOT NULL ORDER BY id'
        )
    }


def _status(
    row: Mapping[str, Any], steps: Mapping[str, str], rows: list[Mapping[str, Any]]
) -> Iterator[Finding]:
    if steps.get(str(UUID(str(row["id"])))) != row["status"]:
        yield _finding(row, "状态与最后一步不一致", "the status is not the one that its last step left")
    replaced = any(other["replaces_id"] == row["id"] for other in rows)
    if replaced != (row["status"] == "superseded"):
        yield _finding(row, "替代关系与状态不一致", "what replaces it disagrees with its status")


def _ground(row: Mapping[str, Any]) -> Iterator[Finding]:
    if row["kind"] == "competition_award":
        if any(row[column] is not None for column in ("enrolment_id", "training_class_id", "base_id")):
            yield _finding(row, "获奖证书不应有报名或培训班", "an award stands on no enrolment")
        return
    if any(row[column] is not None for column in ("entry_id", "competition", "prize")):
        yield _finding(row, "培训证书不应有竞赛内容", "a training certificate stands on no competition")
    same = (row["enrolled_person"], row["enrolled_class"]) == (row["person_id"], row["training_class_id"])
    if not same or row["class_status"] != "approved":
        yield _finding(row, "与报名或培训班不一致", "it disagrees with its enrolment or class")


def _series(rows: list[Mapping[str, Any]]) -> Iterator[Finding]:
    taken: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        taken[f"certificate/{row['division_code']}/{row['year']}"].append(row["serial"])
    taken["certificate_status"] = [row["status_index"] for row in rows]
    last = {
        row["name"]: row["last"]
        for row in _rows("SELECT name, last FROM series")
        if row["name"].startswith("certificate")
    }
    for gap in _rows("SELECT series, first, last FROM number_gap"):
        # Lost with a database and confirmed: these numbers stand for nothing, and are never given again.
        if gap["series"] in last:
            taken[gap["series"]] += range(gap["first"], gap["last"] + 1)
    for name in sorted(taken.keys() | last.keys()):
        if sorted(taken[name]) != list(range(1, last.get(name, 0) + 1)):
            yield Finding("series", name, "编号有缺号、重号或计数不符", "gaps, doubles or a wrong counter")


def _uncertified() -> Iterator[Finding]:
    passed = """
        SELECT e.id FROM enrolment e JOIN training_class t ON t.id = e.training_class_id
        JOIN result r ON r.enrolment_id = e.id
        WHERE t.status = 'approved' AND e.status = 'enrolled' AND r.outcome = 'passed' AND r.current
        AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.enrolment_id = e.id) ORDER BY e.id
    """
    for row in _rows(passed):
        yield Finding(
            "enrolment", str(UUID(str(row["id"]))), "合格但没有证书", "passed and holds no certificate"
        )
    failed = """
        SELECT c.id FROM certificate c LEFT JOIN result r
        ON r.enrolment_id = c.enrolment_id AND r.current AND r.outcome = 'passed'
        WHERE r.id IS NULL AND c.kind = 'training_completion' ORDER BY c.id
    """
    for row in _rows(failed):
        yield _finding(row, "没有合格成绩却有证书", "holds a certificate without a pass")

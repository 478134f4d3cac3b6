"""What the registry states about a certificate, in exact bytes: signed, stored, and carried by the QR code.

One format, 64 bytes, every field at its place and of fixed width:

    offset  bytes  field
         0      1  format version, 1
         1      4  key id: which key signs
         5     16  id: random, names the certificate to nobody
        21      3  division of the certificate number (GB/T 2260, six digits)
        24      2  year of the number
        26      3  serial of the number (its check digit is derived)
        29      1  kind
        30      2  day of issue, counted from 2000-01-01
        32      2  last day of validity, likewise; 0 = no end
        34      3  number of the base; 0 = none
        37      1  edition of the occupation dictionary, years after 1900; 0 = no occupation
        38      3  occupation code as seven digits; 0 = no occupation
        41      1  level's digit; 0 = none
        42      2  class hours (课时)
        44      4  index in the status list
        48     16  commitment to the holder and to all that is printed

Encoding is canonical: what decodes encodes to the same bytes, and nothing else decodes. The bytes
hold no personal data; the commitment can be checked only with a secret of the registry, so
names cannot be guessed against it (an unkeyed hash gives ten million names in 15 s).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import ClassVar, Protocol

from skills_registry.certification.printed import Paper
from skills_registry.foundation.errors import FieldRefused, InputRefused
from skills_registry.foundation.levels import BY_DIGIT, level

VERSION = 1

#: Field and width in bytes, in order: the format itself.
LAYOUT: tuple[tuple[str, int], ...] = (
    ("version", 1),
    ("key_id", 4),
    ("id", 16),
    ("division", 3),
    ("year", 2),
    ("serial", 3),
    ("kind", 1),
    ("issued_on", 2),
    ("expires_on", 2),
    ("base_number", 3),
    ("occupation_edition", 1),
    ("occupation_code", 3),
    ("level", 1),
    ("class_hours", 2),
    ("status_index", 4),
    ("commitment", 16),
)

STATEMENT_SIZE = sum(width for _, width in LAYOUT)
SIGNATURE_SIZE = 64
KEY_ID_SIZE = 4
ID_SIZE = 16
COMMITMENT_SIZE = 16

#: Kinds of certificates. Open: a reader that meets a newer kind calls it ``kind_<code>`` and can
#: still check the signature.
KINDS: dict[int, str] = {1: "training_completion", 2: "competition_award", 3: "base_plaque"}

_KIND_CODES = {name: code for code, name in KINDS.items()}
_DAY_ZERO = date(2000, 1, 1)
_EDITION_ZERO = 1900
_OCCUPATION = re.compile(r"([1-9])-([0-9]{2})-([0-9]{2})-([0-9]{2})")
_COMMITMENT_DOMAIN = b"skills-registry/commitment/1\0"

#: Whole-number fields and the values that they may hold.
_RANGES: Mapping[str, tuple[int, int]] = {
    "division": (100_000, 999_999),
    "year": (2000, 9999),
    "serial": (1, 999_999),
    "base_number": (0, 2**24 - 1),
    "class_hours": (0, 2**16 - 1),
    "status_index": (0, 2**32 - 1),
}
_SIZES: Mapping[str, int] = {"key_id": KEY_ID_SIZE, "id": ID_SIZE, "commitment": COMMITMENT_SIZE}


class Unreadable(InputRefused):
    """Not a statement or code of a format that this program knows."""

    code: ClassVar[str] = "unreadable"
    zh = "这不是完整的证书验证码，请重新扫描二维码。"
    en = "This is not a complete certificate code; please scan the QR code again."


class Signer(Protocol):
    """The power to sign; the core receives one and never sees a key."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key; the key decides the algorithm (Ed25519, SM2, …)."""

    def sign(self, statement: bytes) -> bytes:
        """The signature over a statement, :data:`SIGNATURE_SIZE` bytes."""


@dataclass(frozen=True)
class Statement:
    """The signed facts of one certificate.

    ``division``, ``year`` and ``serial`` are the parts of its number. ``expires_on`` is the last
    valid day. ``occupation_edition`` ("2015") and ``occupation_code`` ("4-10-04-02") are both empty
    where a course title stands; ``level`` is empty where there is none.

    :raises FieldRefused: a value has no place in the format.
    """

    key_id: bytes
    id: bytes
    division: int
    year: int
    serial: int
    kind: str
    issued_on: date
    expires_on: date | None
    base_number: int
    occupation_edition: str
    occupation_code: str
    level: str
    class_hours: int
    status_index: int
    commitment: bytes

    def __post_init__(self) -> None:
        for name, size in _SIZES.items():
            if len(getattr(self, name)) != size:
                raise FieldRefused(field=name)
        for name, (smallest, largest) in _RANGES.items():
            if not smallest <= getattr(self, name) <= largest:
                raise FieldRefused(field=name)
        if self.expires_on is not None and self.expires_on < self.issued_on:
            raise FieldRefused(field="expires_on")
        if bool(self.occupation_edition) != bool(self.occupation_code):
            raise FieldRefused(field="occupation_code")
        self.encode()  # every remaining field is checked where it is turned into its bytes

    def encode(self) -> bytes:
        """The one byte string that says this (:data:`STATEMENT_SIZE` bytes)."""
        values = {
            **{name: int.from_bytes(getattr(self, name)) for name in _SIZES},
            **{name: getattr(self, name) for name in _RANGES},
            "version": VERSION,
            "kind": _kind_code(self.kind),
            "issued_on": _day_number("issued_on", self.issued_on),
            "expires_on": 0 if self.expires_on is None else _day_number("expires_on", self.expires_on),
            "occupation_edition": _edition_code(self.occupation_edition),
            "occupation_code": _occupation_number(self.occupation_code),
            "level": level(self.level).digit if self.level else 0,
        }
        return b"".join(values[name].to_bytes(width) for name, width in LAYOUT)

    @classmethod
    def decode(cls, body: bytes) -> Statement:
        """Read a statement back from its exact bytes.

        :raises Unreadable: they are of another length or format, or a value means nothing.
        """
        if len(body) != STATEMENT_SIZE or body[0] != VERSION:
            raise Unreadable()
        try:
            statement = cls._read(_fields(body))
        except (FieldRefused, KeyError):
            raise Unreadable() from None
        if statement.encode() != body:
            raise Unreadable()
        return statement

    @classmethod
    def _read(cls, raw: Mapping[str, bytes]) -> Statement:
        value = {name: int.from_bytes(part) for name, part in raw.items()}
        return cls(
            key_id=raw["key_id"],
            id=raw["id"],
            division=value["division"],
            year=value["year"],
            serial=value["serial"],
            kind=KINDS.get(value["kind"], f"kind_{value['kind']}"),
            issued_on=_DAY_ZERO + timedelta(days=value["issued_on"]),
            expires_on=_day(value["expires_on"]),
            base_number=value["base_number"],
            occupation_edition=_edition_name(value["occupation_edition"]),
            occupation_code=_occupation_text(value["occupation_code"]),
            level=BY_DIGIT[value["level"]] if value["level"] else "",
            class_hours=value["class_hours"],
            status_index=value["status_index"],
            commitment=raw["commitment"],
        )


def commitment(key: bytes, statement_id: bytes, printed: Paper) -> bytes:
    """Bind a statement to all that is printed on the paper, its holder's name included (16 bytes).

    HMAC-SHA-256 under a secret of the registry (at least 32 bytes) over a domain, the statement's id
    and the printed texts. With another name in ``printed`` it answers whether that name fits.
    """
    if len(key) < 32 or len(statement_id) != ID_SIZE:
        raise ValueError("a commitment needs a key of at least 32 bytes and a 16-byte id")
    message = _COMMITMENT_DOMAIN + statement_id + printed.canonical()
    return hmac.digest(key, message, sha256)[:COMMITMENT_SIZE]


def _fields(body: bytes) -> dict[str, bytes]:
    parts, start = {}, 0
    for name, width in LAYOUT:
        parts[name] = body[start : start + width]
        start += width
    return parts


def _kind_code(kind: str) -> int:
    if kind in _KIND_CODES:
        return _KIND_CODES[kind]
    newer = re.fullmatch(r"kind_([1-9][0-9]{0,2})", kind, re.ASCII)
    if newer is None or int(newer[1]) in KINDS or int(newer[1]) > 255:
        raise FieldRefused(field="kind")
    return int(newer[1])


def _day_number(field: str, day: date) -> int:
    number = (day - _DAY_ZERO).days
    if not 1 <= number < 2**16:
        raise FieldRefused(field=field)
    return number


def _day(number: int) -> date | None:
    return _DAY_ZERO + timedelta(days=number) if number else None


def _edition_code(edition: str) -> int:
    """Any year of a dictionary fits (1999, 2015, 2022, and those to come); filing judges which exist."""
    if not edition:
        return 0
    if re.fullmatch(r"[0-9]{4}", edition, re.ASCII) is None or not 1999 <= int(edition) < _EDITION_ZERO + 256:
        raise FieldRefused(field="occupation_edition")
    return int(edition) - _EDITION_ZERO


def _edition_name(code: int) -> str:
    return str(_EDITION_ZERO + code) if code else ""


def _occupation_number(code: str) -> int:
    if not code:
        return 0
    parts = _OCCUPATION.fullmatch(code)
    if parts is None:
        raise FieldRefused(field="occupation_code")
    return int("".join(parts.groups()))


def _occupation_text(number: int) -> str:
    digits = str(number)
    return "-".join((digits[0], digits[1:3], digits[3:5], digits[5:])) if number else ""

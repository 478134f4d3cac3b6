"""A class's file as one ZIP (一期一档): tables, certificates, originals, and an index of it all, handed on as it is made.

Members are numbered in the order of the items and named for what they are, never for a person. The index
comes last, because it tells the SHA-256 of every member: as an accessible PDF to read, as CSV and as JSON to
compute with. An original whose bytes are gone or altered is left out and named there. The same records give
the same bytes: no member knows when it was asked for.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from api.files import Outlet
from certificates import document, papers
from certificates.document import fonts
from skills_registry import documents
from skills_registry.certification.printed import CertificatePaper
from skills_registry.class_files import ITEMS, STATES, ClassFile, Original, Table
from skills_registry.documents import MEDIA_TYPES, DocumentAltered, DocumentLost, Shelf
from skills_registry.foundation.acts import SHANGHAI
from skills_registry.spreadsheets import table_workbook
from skills_registry.training.classes import TRAINING_CLASS

#: The index stands before all else.
INDEX = "00_档案目录"

_PLACES = {code: f"{place:02d}_{zh}" for place, (code, zh, _, _) in enumerate(ITEMS, 1)}
_NOTE = "按登记平台的登记内容生成，仅供归档；更正请在平台办理。 / Made from the record; corrections are made there."

#: What stands for a character that no font has, as printers have always done.
_GETA = "〓"


@dataclass(frozen=True)
class Member:
    """One file of the archive."""

    name: str
    size: int
    digest: str


@dataclass
class _Archive:
    """The archive in the making: what was put in, and which originals could not be."""

    year: int
    outlet: Outlet = field(default_factory=Outlet)
    members: list[Member] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # What is in it is compressed already.
        self.zip = zipfile.ZipFile(self.outlet, "w", zipfile.ZIP_STORED)  # type: ignore[call-overload]

    def put(self, name: str, content: bytes) -> bytes:
        """Add a member; what there is to hand on."""
        entry = zipfile.ZipInfo(name, (self.year, 1, 1, 0, 0, 0))
        self.zip.writestr(entry, content)
        self.members.append(Member(name, len(content), sha256(content).hexdigest()))
        return self.outlet.take()


def archived(file: ClassFile, prints: list[tuple[CertificatePaper, str]], shelf: Shelf) -> Iterator[bytes]:
    """A class's file as a ZIP; ``prints`` are its certificates in use, with the addresses of their codes."""
    archive = _Archive(file.training_class.starts_on.year)
    for item, place in _PLACES.items():
        for table in file.tables:
            if table.item == item:
                yield archive.put(f"{place[:3]}{table.name}.xlsx", _workbook(table))
        if item == "certificates" and prints:
            for (printed, _), content in zip(prints, document.draw_all(prints), strict=True):
                yield archive.put(f"{place}/{printed.number}.pdf", content)
        yield from _put_originals(archive, place, [one for one in file.originals if one.item == item], shelf)
    yield from _index(archive, file)
    archive.zip.close()
    yield archive.outlet.take()


def _workbook(table: Table) -> bytes:
    return table_workbook(table.name, _NOTE, table.titles, table.rows)


def _put_originals(
    archive: _Archive, folder: str, originals: list[Original], shelf: Shelf
) -> Iterator[bytes]:
    """The originals of one item; several of one name are counted."""
    seen: dict[str, int] = {}
    for original in originals:
        kept = original.document
        seen[original.name] = count = seen.get(original.name, 0) + 1
        name = f"{folder}/{original.name}_{count}.{MEDIA_TYPES[kept.media_type]}"
        try:
            content = documents.content_of(kept, shelf)
        except (DocumentLost, DocumentAltered):
            archive.lost.append(name)
        else:
            yield archive.put(name, content)


def _index(archive: _Archive, file: ClassFile) -> Iterator[bytes]:
    listed = list(archive.members)
    told = _csv(listed)
    yield archive.put(f"{INDEX}.csv", told)
    yield archive.put(f"{INDEX}.json", _json(file, listed, archive.lost))
    yield archive.put(f"{INDEX}.pdf", draw_index(file, listed, archive.lost, sha256(told).hexdigest()))


def _csv(members: list[Member]) -> bytes:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("文件", "字节数", "SHA-256"))
    rows.writerows((member.name, member.size, member.digest) for member in members)
    return text.getvalue().encode("utf-8-sig")


def _json(file: ClassFile, members: list[Member], lost: list[str]) -> bytes:
    taught = file.training_class
    told = {
        "filing_no": taught.filing_no,
        "class_id": str(taught.id),
        "title": taught.title,
        "base": taught.base.name,
        "status": taught.status,
        "recorded_until": file.last_act.isoformat(),
        "complete": file.complete and not lost,
        "items": [
            {
                "code": item.code,
                "zh": item.zh,
                "en": item.en,
                "state": item.state,
                "count": item.count,
                "lacking": [{"code": one.code, "zh": one.zh, "en": one.en} for one in item.lacking],
            }
            for item in file.items
        ],
        "members": [{"name": one.name, "size": one.size, "sha256": one.digest} for one in members],
        "lost": lost,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def draw_index(file: ClassFile, members: list[Member], lost: list[str], digest: str) -> bytes:
    """The index on paper: what the file holds and lacks, and every member with the start of its SHA-256."""
    taught = file.training_class
    about: dict[str, Any] = {
        "title": drawable(taught.title),
        "base": drawable(taught.base.name),
        "filing_no": taught.filing_no,
        "starts_on": taught.starts_on,
        "ends_on": taught.ends_on,
        "status": TRAINING_CLASS.states[taught.status][0],
        "recorded_until": file.last_act.astimezone(SHANGHAI).date(),
        "complete": file.complete and not lost,
        "items": file.items,
        "states": STATES,
        "members": members,
        "lost": lost,
        "digest": digest,
    }
    return papers.draw("class_file", about)


def drawable(text: str) -> str:
    """A text with 〓 for each character that no font has: an index must not fail for a title."""
    missing = fonts.uncovered(text)
    return "".join(_GETA if letter in missing or _is_pictograph(letter) else letter for letter in text)


def _is_pictograph(letter: str) -> bool:
    # The typesetter sets these in an emoji font of its own choice, whatever fonts it was given.
    return "\U0001f000" <= letter < "\U00020000"

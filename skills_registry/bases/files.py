"""The base's file (基地档案) as a review looks at it: what it lacks, and a snapshot of the whole.

The file is the base's legal identity with the credit code of the register, licence and business
scope, its sites, teachers and equipment (all written in ``entries``), and its documents. A snapshot
holds names sealed and documents by their digest: it can be kept, and opened for those entitled.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from skills_registry.bases.entries import (
    BaseFile,
    Equipment,
    Site,
    Teacher,
    entries_of,
    file_of,
)
from skills_registry.bases.listing import Base
from skills_registry.documents import DOCUMENT_KINDS, documents_of
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.storage import Record

#: What an application can lack, with one sentence each; the documents that the policy asks for besides.
MISSING: dict[str, tuple[str, str]] = {
    "legal_person": ("填写法定代表人。", "Name the legal person."),
    "licence": ("填写证照编号。", "Give the number of the licence."),
    "licence_expired": ("证照已过有效期，请更新。", "The licence has expired; renew it."),
    "business_scope": ("填写业务范围。", "Give the business scope."),
    "registered_on": ("填写登记日期。", "Give the day of registration."),
    "sites": ("登记至少一处培训场地。", "Enter at least one site."),
    "lease_expired": (
        "有场地的租赁已到期，请更新或移除。",
        "The lease of a site has run out; renew it or take it out.",
    ),
    "accessibility": (
        "至少一处场地要有无障碍设施。",
        "At least one site must have accessibility features.",
    ),
    "teachers": ("登记的教师人数不足。", "More teachers must be entered."),
    "equipment": ("登记培训设备。", "Enter the equipment."),
} | {f"document_{kind}": (f"上传{zh}。", f"Upload: {en}.") for kind, (zh, en) in DOCUMENT_KINDS.items()}


def snapshot(base: Base) -> dict[str, Any]:
    """All that a review looks at, as JSON: the file as it stands, documents by digest, names sealed.

    :func:`open_snapshot` shows it to those entitled, also after the file has changed.
    """
    file = file_of(base)
    head = {name: getattr(base, name) for name in ("name", "uscc", "kind", "division_code")}
    written = {name: _plain(getattr(file, name)) for name in _HEAD}
    lists = {
        "sites": [_shown(entry) for entry in entries_of(base, Site)],
        "teachers": [_shown(entry) for entry in entries_of(base, Teacher)],
        "equipment": [_shown(entry) for entry in entries_of(base, Equipment)],
    }
    papers = [
        {"id": str(paper.id)}
        | {name: getattr(paper, name) for name in ("kind", "digest", "media_type", "size")}
        for paper in documents_of("base", base.id)
    ]
    return {**head, "id": str(file.id) if file.version else "", **written, **lists, "documents": papers}


_HEAD = ("legal_person", "licence", "licence_until", "business_scope", "registered_on", "version")


def _shown(entry: Record) -> dict[str, Any]:
    return {name: _plain(value) for name, value in entry.__data__.items() if name not in ("base", "standing")}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"sealed": base64.b64encode(value).decode("ascii")}
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def open_snapshot(vault: Vault, kept: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot with the names in clear, for those entitled to the base's file."""

    def opened(column: Any, row: Mapping[str, Any], value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value or ""
        return vault.open(column, UUID(row["id"]), base64.b64decode(value["sealed"]))

    return {
        **kept,
        "legal_person": opened(BaseFile.legal_person, kept, kept["legal_person"]),
        "teachers": [{**row, "name": opened(Teacher.name, row, row["name"])} for row in kept["teachers"]],
    }


def missing(base: Base, policy: Policy, on: date) -> list[str]:
    """What the file still lacks for an application, as codes of :data:`MISSING`, in that order."""
    rule = policy.rule("base_file", on)
    held = {document.kind for document in documents_of("base", base.id)}
    lacking = {*_gaps_of_identity(file_of(base), on), *_gaps_of_entries(base, rule, on)}
    lacking |= {f"document_{kind}" for kind in rule["required_documents"] if kind not in held}
    return [code for code in MISSING if code in lacking]


def _gaps_of_identity(file: BaseFile, on: date) -> Iterator[str]:
    for name in ("legal_person", "licence", "business_scope", "registered_on"):
        if not getattr(file, name):
            yield name
    if file.licence_until is not None and file.licence_until < on:
        yield "licence_expired"


def _gaps_of_entries(base: Base, rule: Mapping[str, Any], on: date) -> Iterator[str]:
    sites = list(entries_of(base, Site))
    if not sites:
        yield "sites"
    if any(site.tenure_until is not None and site.tenure_until < on for site in sites):
        yield "lease_expired"
    if not any(site.accessibility for site in sites):
        yield "accessibility"
    if entries_of(base, Teacher).count() < rule["smallest_teachers"]:
        yield "teachers"
    if not entries_of(base, Equipment).exists():
        yield "equipment"

"""A base's file told in a few lines: identity, one site, two teachers, equipment and the documents asked for."""

from __future__ import annotations

import zlib
from datetime import date
from typing import Any
from uuid import UUID

from skills_registry import documents
from skills_registry.bases import Base, entries
from skills_registry.bases.entries import EquipmentFacts, Identity, Site, SiteFacts, TeacherFacts
from skills_registry.documents import FolderShelf
from tests.world import World

#: The smallest content that the registry takes for a PDF and for a PNG.
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
    for kind, body in (
        (b"IHDR", bytes.fromhex("00000001000000010800000000")),
        (b"IDAT", zlib.compress(b"\0\xff")),
        (b"IEND", b""),
    )
)

IDENTITY: dict[str, Any] = {
    "legal_person": "马建国",
    "licence": "民办许可 6302021",
    "licence_until": date(2035, 12, 31),
    "business_scope": "职业技能培训",
    "registered_on": date(2019, 5, 6),
}
SITE: dict[str, Any] = {
    "name": "主校区",
    "address": "乐都区碾伯镇一号",
    "area": 600,
    "capacity": 60,
    "tenure": "own",
    "tenure_until": None,
    "accessibility": ["step_free_entrance", "handrails"],
}


def shelf_of(world: World) -> FolderShelf:
    """Where this world's documents lie."""
    return world.service.shelf()


def complete_file(world: World, base: Base, clerk: str) -> None:
    """Everything that an application asks for."""
    act = world.act(clerk)
    version = entries.file_of(base).version
    entries.write_identity(act, base, Identity(**IDENTITY), version=version)
    entries.add_site(act, base, SiteFacts(**SITE))
    for name in ("祁玉兰", "东永福"):
        facts = TeacherFacts(
            name=name, qualification="高级技师", level="一级", full_time=True, course="保健按摩"
        )
        entries.add_teacher(act, base, facts)
    entries.add_equipment(act, base, EquipmentFacts(name="按摩床", model="AM-2", quantity=30))
    for kind in world.service.policy.rule("base_file", act.today)["required_documents"]:
        documents.keep(act, "base", base.id, kind, PDF, shelf_of(world))


def sites_of(base: Base) -> list[UUID]:
    """The ids of the sites in the base's file."""
    return [site.id for site in entries.entries_of(base, Site)]


def edit_file(world: World, base: Base, clerk: str = "applicant") -> None:
    """The base moves on: another licence, a site more, a document out of the file."""
    act = world.act(clerk)
    version = entries.file_of(base).version
    entries.write_identity(act, base, Identity(**IDENTITY | {"licence": "民办许可 6302099"}), version=version)
    entries.add_site(act, base, SiteFacts(**SITE | {"name": "分校区"}))
    documents.keep(act, "base", base.id, "statement", PDF, shelf_of(world))


def empty_file(world: World, base: Base, clerk: str = "applicant") -> None:
    """Every site leaves the file."""
    for site in entries.entries_of(base, Site):
        entries.take_out(world.act(clerk), site)


def kept_photo(world: World, application: Any, by: str = "county_officer") -> UUID:
    """A photo that an inspector keeps with the application; the same one twice is one."""
    kept = documents.keep(
        world.act(by), "application", application.id, "inspection_photo", PNG, shelf_of(world)
    )
    return kept.id

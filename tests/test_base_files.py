"""The base's file: written by its own clerk, one version after the other, names sealed, snapshots for good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry import documents
from skills_registry.bases import entries, files
from skills_registry.bases.entries import (
    BaseFile,
    ChangedMeanwhile,
    Equipment,
    EquipmentFacts,
    Identity,
    Site,
    SiteFacts,
    Teacher,
    TeacherFacts,
)
from skills_registry.foundation.errors import FieldRefused, NotAllowed
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import database
from tests.base_files import complete_file
from tests.world import World, application

TODAY = date(2025, 2, 10)
IDENTITY: dict[str, Any] = {
    "legal_person": "马启明",
    "licence": "教民163020270000121号",
    "licence_until": "2027-12-31",
    "business_scope": "职业技能培训",
    "registered_on": "2019-05-20",
}
SITE: dict[str, Any] = {
    "name": "主教学楼",
    "address": "碾伯镇文化街1号",
    "area": 640,
    "capacity": 120,
    "tenure": "leased",
    "tenure_until": "2026-12-31",
    "accessibility": ["step_free_entrance", "accessible_toilet"],
}
TEACHER = {
    "name": "韩玉兰",
    "qualification": "保健按摩师",
    "level": "三级/高级工",
    "full_time": True,
    "course": "保健按摩",
}


def identity(**changes: Any) -> Identity:
    days = {"licence_until": date(2027, 12, 31), "registered_on": date(2019, 5, 20)}
    return Identity(**(IDENTITY | days | changes))


def site(**changes: Any) -> SiteFacts:
    return SiteFacts(**(SITE | {"tenure_until": date(2026, 12, 31)} | changes))


def gaps(world: World, on: date = TODAY) -> list[str]:
    return files.missing(world.base, world.service.policy, on)


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def bearer(world: World, name: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}", **more}


def test_an_empty_file_lacks_everything_and_a_whole_one_nothing(world: World) -> None:
    assert gaps(world) == [
        "legal_person",
        "licence",
        "business_scope",
        "registered_on",
        "sites",
        "accessibility",
        "teachers",
        "equipment",
        "document_licence",
        "document_site_title",
        "document_fire_safety",
        "document_teaching_rules",
    ]
    assert all(files.MISSING[code][0] and files.MISSING[code][1] for code in gaps(world))
    complete_file(world, world.base, "base_clerk")
    assert gaps(world) == []


def test_every_document_kind_that_a_policy_may_ask_for_has_its_sentence() -> None:
    assert {f"document_{kind}" for kind in documents.DOCUMENT_KINDS} <= set(files.MISSING)


def test_a_licence_or_a_lease_that_has_run_out_is_missing_on_the_day_after_its_last(world: World) -> None:
    complete_file(world, world.base, "base_clerk")
    act, version = world.act("base_clerk"), entries.file_of(world.base).version
    entries.write_identity(act, world.base, identity(licence_until=date(2025, 6, 30)), version=version)
    entries.add_site(act, world.base, site(tenure_until=date(2025, 6, 30)))
    assert gaps(world, date(2025, 6, 30)) == []
    assert gaps(world, date(2025, 7, 1)) == ["licence_expired", "lease_expired"]


def test_what_was_taken_out_no_longer_counts(world: World) -> None:
    complete_file(world, world.base, "base_clerk")
    act = world.act("base_clerk")
    entries.take_out(act, Teacher.get())
    entries.take_out(act, Site.get())
    documents.take_out(act, documents.documents_of("base", world.base.id)[0])
    assert gaps(world) == ["sites", "accessibility", "teachers", "document_licence"]


def test_of_two_clerks_who_saw_the_same_version_one_writes_and_the_other_learns_of_it(world: World) -> None:
    first, second = world.act("base_clerk"), world.act("second_clerk")
    entries.write_identity(first, world.base, identity(), version=0)
    with pytest.raises(ChangedMeanwhile) as refusal:
        entries.write_identity(second, world.base, identity(licence="另一个"), version=0)
    assert refusal.value.facts == {"version": 1}
    kept = entries.file_of(world.base)
    assert (kept.version, kept.licence) == (1, IDENTITY["licence"])
    added = entries.add_site(second, world.base, site())
    with pytest.raises(ChangedMeanwhile):
        entries.change(first, added, site(capacity=5), version=1)
    assert entries.change(first, added, site(capacity=5), version=2).capacity == 5
    assert [step.action for step in steps_of(world.base.id)][-3:] == ["write_file", "add_site", "change_site"]


def test_only_the_bases_own_clerk_writes_its_file(world: World) -> None:
    sibling = world.listed_base("乐都区邻家学校", 2)
    world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    for name in ("sibling_clerk", "county_officer", "city_officer", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            entries.write_identity(world.act(name), world.base, identity(), version=0)
        with pytest.raises(NotAllowed):
            entries.add_teacher(world.act(name), world.base, TeacherFacts(**TEACHER))
    assert BaseFile.select().count() == Teacher.select().count() == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenure": "borrowed"},
        {"tenure_until": None},
        {"tenure": "own"},
        {"accessibility": ["teleporter"]},
    ],
    ids=["unknown tenure", "a lease without its last day", "owned until a day", "unknown feature"],
)
def test_a_site_that_does_not_fit_is_refused_and_nothing_changes(
    small_world: World, wrong: dict[str, Any]
) -> None:
    with pytest.raises(FieldRefused):
        entries.add_site(small_world.act("base_clerk"), small_world.base, site(**wrong))
    assert Site.select().count() == entries.file_of(small_world.base).version == 0


@pytest.mark.parametrize("name", ["", "  ", "=SUM(A1)", "<b>马</b>", "长" * 51])
def test_a_teachers_name_is_a_name(small_world: World, name: str) -> None:
    with pytest.raises(FieldRefused):
        entries.add_teacher(
            small_world.act("base_clerk"), small_world.base, TeacherFacts(**TEACHER | {"name": name})
        )
    assert Teacher.select().count() == 0


def test_a_registration_in_the_future_is_refused(small_world: World) -> None:
    with pytest.raises(FieldRefused):
        entries.write_identity(
            small_world.act("base_clerk"),
            small_world.base,
            identity(registered_on=date(2025, 2, 11)),
            version=0,
        )


def test_names_are_sealed_in_tables_steps_and_snapshots(world: World) -> None:
    act = world.act("base_clerk")
    entries.write_identity(act, world.base, identity(), version=0)
    entries.add_teacher(act, world.base, TeacherFacts(**TEACHER))
    told = json.dumps(files.snapshot(world.base), ensure_ascii=False)
    for table in ("base_file", "teacher", "step"):
        rows = database.execute_sql(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        told += str([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in rows])
    for name in (IDENTITY["legal_person"], TEACHER["name"]):
        assert name not in told
        assert str(name.encode())[2:-1] not in told


def test_a_snapshot_keeps_what_later_edits_change(world: World) -> None:
    complete_file(world, world.base, "base_clerk")
    act, vault = world.act("base_clerk"), world.service.vault
    kept = json.loads(json.dumps(files.snapshot(world.base)))
    before = files.open_snapshot(vault, kept)
    assert files.snapshot(world.base) == kept
    version = entries.file_of(world.base).version
    entries.write_identity(act, world.base, identity(legal_person="祁生财"), version=version)
    teacher = Teacher.get()
    entries.change(act, teacher, TeacherFacts(**TEACHER | {"name": "冶春梅"}), version=version + 1)
    entries.take_out(act, Site.get())
    documents.take_out(act, documents.documents_of("base", world.base.id)[0])
    assert files.open_snapshot(vault, kept) == before
    after = files.open_snapshot(vault, files.snapshot(world.base))
    assert (after["legal_person"], after["teachers"][0]["name"]) == ("祁生财", "冶春梅")
    assert before["legal_person"] != "祁生财" and before["teachers"][0]["name"] != "冶春梅"
    assert (len(before["sites"]), len(after["sites"])) == (1, 0)
    assert len(before["documents"]) == len(after["documents"]) + 1


def test_a_name_written_again_unchanged_stays_as_it_was_sealed(world: World) -> None:
    act = world.act("base_clerk")
    sealed = entries.write_identity(act, world.base, identity(), version=0).legal_person
    again = entries.write_identity(act, world.base, identity(licence="新证"), version=1).legal_person
    assert sealed == again
    assert entries.write_identity(act, world.base, identity(legal_person=""), version=2).legal_person is None


# Through the API


def test_a_clerk_writes_the_file_with_the_version_that_was_read(
    client: FlaskClient, small_world: World
) -> None:
    address = f"/api/v1/bases/{small_world.base.id}/file"
    clerk = bearer(small_world, "base_clerk")
    read = client.get(address, headers=clerk)
    assert (read.status_code, read.headers["ETag"]) == (200, '"0"')
    unseen = client.put(address, json=IDENTITY, headers=clerk)
    assert (unseen.status_code, unseen.json["code"]) == (428, "if_match_required")
    written = client.put(address, json=IDENTITY, headers=clerk | {"If-Match": read.headers["ETag"]})
    assert (written.status_code, written.headers["ETag"]) == (200, '"1"')
    assert {name: written.json[name] for name in IDENTITY} == IDENTITY
    assert written.json["uscc"] == small_world.base.uscc
    for stale in ('"0"', '"x"', 'W/"1"', '"1", "2"'):
        late = client.put(address, json=IDENTITY, headers=clerk | {"If-Match": stale})
        assert (late.status_code, late.json["code"]) == (412, "changed_meanwhile"), stale
    assert client.put(address, json=IDENTITY, headers=clerk | {"If-Match": "*"}).status_code == 200


def test_what_is_missing_comes_with_a_sentence_in_the_callers_language(
    client: FlaskClient, small_world: World
) -> None:
    address = f"/api/v1/bases/{small_world.base.id}/file"
    zh = client.get(address, headers=bearer(small_world, "county_officer")).json["missing"]
    en = client.get(f"{address}?lang=en", headers=bearer(small_world, "auditor")).json["missing"]
    assert zh[0] == {"code": "legal_person", "message": "填写法定代表人。"}
    assert en[0] == {"code": "legal_person", "message": "Name the legal person."}
    complete_file(small_world, small_world.base, "base_clerk")
    whole = client.get(address, headers=bearer(small_world, "city_officer")).json
    assert whole["missing"] == []
    assert len(whole["documents"]) == 4 and len(whole["teachers"]) == 2


@pytest.mark.parametrize(
    ("part", "body", "change"),
    [
        ("sites", SITE, {"capacity": 60}),
        ("teachers", TEACHER, {"full_time": False}),
        ("equipment", {"name": "按摩床", "model": "AM-2", "quantity": 30}, {"quantity": 31}),
    ],
)
def test_sites_teachers_and_equipment_are_entered_changed_and_taken_out(
    client: FlaskClient, small_world: World, part: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    address = f"/api/v1/bases/{small_world.base.id}/{part}"
    clerk = bearer(small_world, "base_clerk")
    made = client.post(address, json=body, headers=clerk)
    assert made.status_code == 201
    entry = f"{address}/{made.json['id']}"
    assert client.put(entry, json=body | change, headers=clerk).status_code == 428
    etag = client.get(address, headers=clerk).headers["ETag"]
    changed = client.put(entry, json=body | change, headers=clerk | {"If-Match": etag})
    assert (changed.status_code, changed.json) == (200, made.json | change)
    assert client.put(entry, json=body, headers=clerk | {"If-Match": etag}).status_code == 412
    officer = bearer(small_world, "county_officer")
    assert client.get(address, headers=officer).json["items"] == [made.json | change]
    assert client.delete(entry, headers=officer).status_code == 403
    assert client.delete(entry, headers=clerk).status_code == 204
    assert client.delete(entry, headers=clerk).status_code == 404
    assert client.get(address, headers=clerk).json["items"] == []


def test_an_entry_is_reached_through_its_own_base_only(client: FlaskClient, small_world: World) -> None:
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    found = entries.add_equipment(
        small_world.act("base_clerk"), small_world.base, EquipmentFacts(name="按摩床", model="", quantity=3)
    )
    through_other = f"/api/v1/bases/{sibling.id}/equipment/{found.id}"
    assert client.delete(through_other, headers=bearer(small_world, "sibling_clerk")).status_code == 404
    assert Equipment.get_by_id(found.id).standing


def test_the_features_that_a_site_can_have_come_with_the_sites(
    client: FlaskClient, small_world: World
) -> None:
    answer = client.get(f"/api/v1/bases/{small_world.base.id}/sites", headers=bearer(small_world, "auditor"))
    codes = [feature["code"] for feature in answer.json["features"]]
    assert "step_free_entrance" in codes and len(codes) == len(set(codes)) > 10


def test_experts_and_administrators_do_not_read_a_bases_file(client: FlaskClient, small_world: World) -> None:
    small_world.hire("expert", small_world.accounts["city_officer"].organisation, "expert")
    for name in ("expert", "admin"):
        for part in ("file", "teachers", "sites", "equipment"):
            answer = client.get(
                f"/api/v1/bases/{small_world.base.id}/{part}", headers=bearer(small_world, name)
            )
            assert answer.status_code == 403

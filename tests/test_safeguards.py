"""Safeguards: a whole number only by a reveal, what has had its time goes, the erased leave a tombstone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from api import field_keys, limits
from api.app import create_app
from api.check import check
from api.commands import main
from certificates import document
from skills_registry import accounts, documents, employment, notices, people, person_files, safeguards
from skills_registry.accounts import credentials, sessions
from skills_registry.certification import certificates
from skills_registry.certification import held as held_certificates
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.held import Held
from skills_registry.documents import Document
from skills_registry.employment import Employment, Facts, ServiceEntry
from skills_registry.foundation import tampering
from skills_registry.foundation.audit import AuditEntry
from skills_registry.foundation.errors import (
    FieldRefused,
    NotAllowed,
    NotFound,
    SeparationOfDuties,
    WrongState,
)
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.rotation import sealed_columns
from skills_registry.foundation.seals import sealed_tables
from skills_registry.foundation.storage import database
from skills_registry.people import Person
from skills_registry.safeguards import Erasure, erasures
from skills_registry.training import consents, enrolments, satisfaction, uploads
from skills_registry.training.enrolments import Enrolment
from skills_registry.training.uploads import UploadRow
from tests.base_files import PDF
from tests.conftest import SAMPLES
from tests.world import PEOPLE, World

NAME, NUMBER, _ = PEOPLE[0]
WHY = "本人书面申请"


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = create_app(small_world.service.settings, clock=small_world.service.clock)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made
    limits.limiter.reset()


def trained(world: World) -> Person:
    """李晓东, trained here, with a certificate."""
    world.issued()
    found = people.find(world.service.vault, NUMBER)
    assert found is not None
    return found


def post(client: FlaskClient, world: World, path: str, by: str = "county_officer", **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {world.key(by)}"}
    return client.post(f"/api/v1{path}", json=body, headers=headers)


# Reveal


def test_a_whole_number_is_shown_to_the_officer_who_serves_the_person_for_a_reason_that_is_kept(
    client: FlaskClient, small_world: World
) -> None:
    person = trained(small_world)
    answer = post(client, small_world, f"/people/{person.id}/reveal", reason="核对社保补贴")
    assert (answer.status_code, answer.json) == (200, {"citizen_id": NUMBER})
    read = Step.select().where(Step.noun == "citizen_id").get()
    assert (read.action, read.record_id, read.reason) == ("read", person.id, "核对社保补贴")
    assert read.by_account == small_world.accounts["county_officer"].id
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_reason_nothing_is_shown_and_nothing_is_told(
    client: FlaskClient, small_world: World
) -> None:
    person = trained(small_world)
    for reason in ("", "  "):
        assert post(client, small_world, f"/people/{person.id}/reveal", reason=reason).status_code == 422
    assert Step.select().where(Step.noun == "citizen_id").count() == 0


def test_nobody_else_reveals_a_number(small_world: World) -> None:
    person = trained(small_world)
    for name, refusal in {
        "base_clerk": NotAllowed,
        "auditor": NotAllowed,
        "admin": NotAllowed,
        "other_county_officer": NotFound,
    }.items():
        with pytest.raises(refusal):
            safeguards.reveal(small_world.act(name), person, "好奇")
    assert Step.select().where(Step.noun == "citizen_id").count() == 0


def test_numbers_are_revealed_so_many_an_hour_and_by_no_other_door_either(
    client: FlaskClient, small_world: World
) -> None:
    person = trained(small_world)
    allowed = int(limits.REVEALS.split("/")[0])
    doors = (f"/people/{person.id}/reveal", f"/people/{person.id}/file")
    codes = [
        post(client, small_world, doors[turn % 2], reason=WHY, **({"for_person": True} if turn % 2 else {}))
        for turn in range(allowed + 2)
    ]
    assert [code.status_code for code in codes] == [200] * allowed + [429, 429]
    assert post(client, small_world, doors[1], reason=WHY).status_code == 200
    assert post(client, small_world, doors[0], by="city_officer", reason=WHY).status_code == 200


def test_reading_the_values_of_a_number_correction_is_told_as_a_reading_of_the_number(
    small_world: World,
) -> None:
    person = trained(small_world)
    officer = small_world.act("county_officer")
    asked = person_files.request(
        officer, person, "citizen_id", PEOPLE[4][1], asked_by="person", reason="身份证"
    )
    person_files.read_request(officer, asked, WHY)
    assert Step.select().where((Step.noun == "citizen_id") & (Step.record_id == person.id)).count() == 1


# Erasure


def filled(world: World) -> Person:
    """The same with everything on record that may be erased at once."""
    person = trained(world)
    officer, clerk = world.act("county_officer"), world.act("base_clerk")
    enrolment = Enrolment.get(Enrolment.person == person.id)
    enrolment.phone = world.service.vault.seal(Enrolment.phone, enrolment.id, "13997251234")
    enrolment.save(only=[Enrolment.phone])
    given = consents.give(officer, enrolment, means="paper_signature", given_on=world.now.date())
    documents.keep(clerk, "consent", given.id, "consent_form", PDF, world.service.shelf())
    facts = Facts(form="quota", started_on=world.now.date(), employer="李晓东按摩店")
    employment.report(officer, person, facts, enrolment=enrolment)
    employment.record_service(officer, person, "job_introduction", world.now.date(), "愿意在县城工作")
    held = Held(kind="skill_level", number=NUMBER, issuer="某机构", issued_on=world.now.date())
    held_certificates.register(officer, person, held)
    person_files.request(officer, person, "sex", "female", asked_by="person", reason="身份证")
    return person


def erased(world: World, person: Person) -> Erasure:
    asked = safeguards.request(world.act("county_officer"), person, asked_by="person", reason=WHY)
    return safeguards.carry_out(world.act("city_officer"), asked, "核实无误", world.service.shelf())


def test_what_no_law_asks_for_is_erased_at_once_and_identity_stays_while_it_is_evidence(
    small_world: World,
) -> None:
    person = filled(small_world)
    assert erased(small_world, person).status == "carried_out"
    vault = small_world.service.vault
    enrolment = Enrolment.get(Enrolment.person == person.id)
    assert (enrolment.phone, enrolment.particulars, enrolment.accommodations_given) == (None, None, None)
    work = Employment.get()
    assert (work.employer, work.uscc, ServiceEntry.get().outcome) == (None, None, None)
    assert held_certificates.number_of(vault, held_certificates.held_by(person.id)[0]) == erasures.NAMELESS
    assert Document.select().count() == 0
    assert small_world.service.shelf().files_by_key() == {}
    asked = person_files.corrections_of(person.id)[0]
    assert (asked.old_value, person_files.new_value_of(vault, asked)) == (None, "")
    assert people.find(vault, NUMBER) == person
    told = Step.get((Step.noun == "erasure") & (Step.action == "carry_out"))
    assert told.detail["identity_kept_until"] == "2055-12-31"


def test_when_the_evidence_has_had_its_time_a_tombstone_stands_and_the_certificate_stays_provable(
    world: World,
) -> None:
    person = filled(world)
    erased(world, person)
    assert erasures.identity_due(world.act("city_officer")) == []
    world.on(2056, 1, 1)
    assert [one.id for one in erasures.identity_due(world.act("city_officer"))] == [person.id]
    by_code = {due.code: due for due in field_keys.dues(world.service)}
    assert field_keys.remove(world.service, by_code["erased_identities"]) == 1
    vault = world.service.vault
    assert people.find(vault, NUMBER) is None
    assert people.name_of(vault, person.id) == erasures.NAMELESS
    in_clear = json.dumps(everything_but_certificates(world), ensure_ascii=False)
    assert NAME not in in_clear
    assert NUMBER not in in_clear
    certificate = Certificate.get(Certificate.person == person.id)
    printed = certificates.printed_of(vault, certificate)
    assert printed.name == NAME
    assert document.draw(printed, "https://skills.haidong.example/v/1").startswith(b"%PDF")
    assert list(check(world.service)) == []
    assert list(tampering.findings(database.journal)) == []
    file = person_files.read_file(world.act("city_officer"), Person.get_by_id(person.id), WHY, whole=True)
    assert (file.name, file.birth_date) == (erasures.NAMELESS, None)


def everything_but_certificates(world: World) -> dict[str, str]:
    vault = world.service.vault
    return {
        f"{table._meta.table_name} {row.id} {column.name}": vault.open(
            column, row.id, getattr(row, column.name)
        )
        for table, columns in sealed_columns().items()
        if table is not Certificate
        for row in table.select()
        for column in columns
        if getattr(row, column.name) is not None
    }


def test_somebody_who_was_never_trained_is_erased_whole(small_world: World) -> None:
    person = person_files.settle(
        small_world.act("county_officer"),
        citizen_id=NUMBER,
        name=NAME,
        division_code="630202",
        since=date(2024, 1, 1),
        reason="迁入",
    )
    erased(small_world, person)
    assert people.find(small_world.service.vault, NUMBER) is None


def test_uploaded_rows_that_hold_the_number_go_and_others_stay(small_world: World) -> None:
    training_class = small_world.open_class()
    clerk = small_world.act("base_clerk")
    upload = uploads.stage(clerk, training_class, "roster", (SAMPLES / "roster-clean.xlsx").read_bytes())
    rows = UploadRow.select().count()
    uploads.confirm(clerk, upload)
    enrolment = Enrolment.select().first()
    small_world.on(2025, 5, 1)
    for one in Enrolment.select():
        small_world.grade(one)
    small_world.issue(enrolments.submit_class(small_world.act("base_clerk"), training_class))
    erased(small_world, enrolment.person)
    assert UploadRow.select().count() == rows - 1


def test_the_one_who_filed_it_does_not_carry_it_out_nor_refuse_it(small_world: World) -> None:
    person = filled(small_world)
    asked = safeguards.request(small_world.act("city_officer"), person, asked_by="guardian", reason=WHY)
    same = small_world.act("city_officer")
    with pytest.raises(SeparationOfDuties):
        safeguards.carry_out(same, asked, WHY, small_world.service.shelf())
    with pytest.raises(SeparationOfDuties):
        safeguards.refuse(same, asked, WHY)
    with pytest.raises(NotAllowed):
        safeguards.carry_out(small_world.act("county_officer"), asked, WHY, small_world.service.shelf())
    safeguards.refuse(small_world.act("second_city_officer"), asked, "仍在享受补贴")
    with pytest.raises(WrongState):
        safeguards.carry_out(small_world.act("second_city_officer"), asked, WHY, small_world.service.shelf())
    assert Employment.get().employer is not None


def test_an_erasure_waits_until_the_class_is_settled_and_there_is_one_at_a_time(small_world: World) -> None:
    training_class = small_world.open_class()
    person = small_world.enrol(training_class)[0].person
    officer = small_world.act("county_officer")
    asked = safeguards.request(officer, person, asked_by="person", reason=WHY)
    with pytest.raises(erasures.ErasurePending):
        safeguards.request(officer, person, asked_by="person", reason=WHY)
    with pytest.raises(erasures.StillInTraining):
        safeguards.carry_out(small_world.act("city_officer"), asked, WHY, small_world.service.shelf())
    assert Erasure.get().status == "requested"


def test_an_erasure_over_http_names_nobody(client: FlaskClient, small_world: World) -> None:
    person = filled(small_world)
    sent = post(client, small_world, f"/people/{person.id}/erasures", asked_by="person", reason=WHY)
    assert sent.status_code == 201
    done = post(
        client, small_world, f"/erasures/{sent.json['id']}/carrying-out", by="city_officer", reason=WHY
    )
    headers = {"Authorization": f"Bearer {small_world.key('county_officer')}"}
    listed = client.get("/api/v1/erasures", headers=headers)
    assert (done.status_code, done.json["status"]) == (200, "carried_out")
    assert [one["id"] for one in listed.json["items"]] == [sent.json["id"]]
    assert NAME not in sent.text + done.text + listed.text
    with pytest.raises(FieldRefused):
        safeguards.request(small_world.act("county_officer"), person, asked_by="neighbour", reason=WHY)


# Retention


def counts(world: World) -> dict[str, int]:
    return {due.code: due.count() for due in field_keys.dues(world.service) if due.count()}


def carry_out(world: World) -> dict[str, int]:
    done = {due.code: field_keys.remove(world.service, due) for due in field_keys.dues(world.service)}
    return {code: count for code, count in done.items() if count}


def aged(world: World) -> None:
    """Something of every kind that has a time."""
    training_class = world.open_class()
    clerk, admin = world.act("base_clerk"), world.act("admin")
    staged = (SAMPLES / "roster-clean.xlsx").read_bytes()
    uploads.stage(clerk, training_class, "roster", staged)
    confirmed = uploads.stage(clerk, training_class, "roster", staged)
    UploadRow.update(outcome="rejected").where(
        (UploadRow.upload == confirmed.id) & (UploadRow.number == confirmed.rows.get().number)
    ).execute()
    uploads.confirm(clerk, confirmed)
    sessions.open_session(admin, world.accounts["admin"].operator)
    credentials.invite(admin, world.accounts["auditor"])
    notice = notices.publish(
        world.act("city_officer"), subject="base", subject_id=world.base.id, title="公示", text="内容",
        working_days=5, division_code=world.base.division_code,
    )  # fmt: skip
    objection = notices.object_to(world.act("auditor"), notice, text="不实", contact="电话13997251234")
    notices.answer(world.act("county_officer"), objection, "经查不实", upheld=False)
    world.service.shelf().put(PDF)
    satisfaction.ask_trainees(clerk, training_class)


def test_nothing_goes_before_its_time(small_world: World) -> None:
    aged(small_world)
    small_world.now += timedelta(days=1)
    assert counts(small_world) == {}


def test_everything_goes_when_it_has_had_its_time_and_the_register_stays_whole(world: World) -> None:
    aged(world)
    enrolled = Enrolment.select().count()
    world.now += timedelta(days=31)
    path = next(world.service.shelf().folder.glob("??/??/*"))
    long_ago = (world.now - timedelta(days=20)).timestamp()
    os.utime(path, (long_ago, long_ago))
    shown = counts(world)
    assert set(shown) == {"staged_rows", "refused_rows", "sessions", "unclaimed_files"}
    assert shown["refused_rows"] == 1
    assert counts(world) == shown == carry_out(world)
    assert not path.exists()
    world.now += timedelta(days=450)
    assert set(carry_out(world)) == {
        "recorded_rows", "invitations", "objection_contacts", "satisfaction_tickets",
    }  # fmt: skip
    assert notices.contact_of(world.service.vault, notices.Objection.get()) == ""
    assert counts(world) == carry_out(world) == {}
    assert (UploadRow.select().count(), Enrolment.select().count()) == (0, enrolled)
    assert list(tampering.findings(database.journal)) == []


def test_an_objection_that_awaits_its_answer_keeps_its_contact(small_world: World) -> None:
    notice = notices.publish(
        small_world.act("city_officer"), subject="base", subject_id=small_world.base.id, title="公示",
        text="内容", working_days=5, division_code=small_world.base.division_code,
    )  # fmt: skip
    notices.object_to(small_world.act("auditor"), notice, text="不实", contact="电话")
    small_world.now += timedelta(days=900)
    assert "objection_contacts" not in counts(small_world)


def test_every_removal_is_told_to_the_audit_with_its_kind_and_number(small_world: World) -> None:
    aged(small_world)
    small_world.now += timedelta(days=31)
    done = carry_out(small_world)
    told = {
        entry.action: int(entry.reason) for entry in AuditEntry.select().where(AuditEntry.noun == "retention")
    }
    assert told == done


def test_the_policy_gives_every_table_one_purpose_and_the_commands_their_periods(small_world: World) -> None:
    named = [
        table
        for group in safeguards.purposes(small_world.service.policy, small_world.now.date())
        for table in group.tables
    ]
    standing = set(database.get_tables()) - {"schema_migration"}
    assert sorted(named) == sorted(standing)
    assert {table._meta.table_name for table in sealed_tables()} - {"record", "keepsake"} <= set(named)


def test_the_command_shows_and_only_carries_out_when_told_to(
    small_world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small_world.on(2024, 1, 2)
    credentials.invite(small_world.act("admin"), small_world.accounts["auditor"])
    settings = small_world.service.settings
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REGISTRY_VAR", str(settings.secrets_file.parent))
    monkeypatch.setenv("PUBLIC_URL", settings.public_url)
    for words, left in ((["retention"], 1), (["retention", "--carry-out"], 0)):
        answer = CliRunner().invoke(main, words, catch_exceptions=False)
        line = next(line for line in answer.output.splitlines() if line.startswith("invitations"))
        assert (answer.exit_code, ":      1 " in line) == (0, True)
        assert accounts.credentials.Invitation.select().count() == left

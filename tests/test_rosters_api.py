"""Single trainees, substitutes, particulars and consents over HTTP: shapes, refusals, traces and paper."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient

from api import limits
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.training import consents, enrolments
from skills_registry.training.classes import TrainingClass
from skills_registry.training.enrolments import Enrolment
from tests.world import PEOPLE, World, application

MA, YE = PEOPLE[1], PEOPLE[2]


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def ask(client: FlaskClient, world: World, account: str, method: str, path: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {world.key(account)}"}
    more = {"json": body} if method != "GET" else {}
    return client.open(f"/api/v1{path}", method=method, headers=headers, **more)


def trainee(person: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    return {"name": person[0], "citizen_id": person[1], **more}


def test_a_trainee_is_enrolled_singly_and_their_particulars_are_read_with_a_trace(
    client: FlaskClient, small_world: World
) -> None:
    training_class = small_world.open_class()
    body = trainee(
        MA, sex="女", education="高中", residence_division="630222", accommodations=["braille", "靠近讲台"],
        card_issued_on="2025-03-09", consent={"given_on": "2025-02-09", "means": "paper_signature"},
    )  # fmt: skip
    answer = ask(
        client, small_world, "base_clerk", "POST", f"/classes/{training_class.id}/enrolments", **body
    )
    assert answer.status_code == 201
    shown = answer.get_json()
    assert {found["code"] for found in shown["warnings"]} == {
        "accommodation_unknown",
        "card_issued_after_start",
    }
    assert (shown["consent"], shown["substitutes"], shown["row"]) == ("given", None, 1)
    assert MA[1] not in answer.get_data(as_text=True)
    for reader, status in (
        ("base_clerk", 200),
        ("auditor", 200),
        ("other_county_officer", 404),
        ("admin", 403),
    ):
        assert ask(
            client, small_world, reader, "GET", f"/enrolments/{shown['id']}/particulars"
        ).status_code == status  # fmt: skip
    told = ask(
        client, small_world, "county_officer", "GET", f"/enrolments/{shown['id']}/particulars"
    ).get_json()
    assert told == {
        "education": "高中", "residence_division": "630222", "accommodations": ["braille"],
        "other_accommodations": "靠近讲台", "card_issued_on": "2025-03-09", "accommodations_given": [],
    }  # fmt: skip
    readings = [step.by_role for step in steps_of(Enrolment.get().id) if step.action == "read"]
    assert readings == ["base_clerk", "auditor", "county_officer"]


def test_what_is_wrong_with_a_single_trainee_is_told_field_by_field_without_personal_data(
    client: FlaskClient, small_world: World
) -> None:
    training_class = small_world.open_class()
    body = trainee(("=李", "632127197610289950", ""))
    answer = ask(
        client, small_world, "base_clerk", "POST", f"/classes/{training_class.id}/enrolments", **body
    )
    told = answer.get_json()
    assert (answer.status_code, told["code"]) == (422, "row_refused")
    assert [(row["field"], row["code"]) for row in told["rows"]] == [
        ("name", "name_characters"), ("citizen_id", "id_checksum"),
    ]  # fmt: skip
    assert all(row["message"] for row in told["rows"])
    assert "6321271976" not in answer.get_data(as_text=True)


def test_a_substitute_takes_over_and_the_class_tells_it(client: FlaskClient, small_world: World) -> None:
    training_class = small_world.open_class()
    (leaving,) = small_world.enrol(training_class, 1)
    body = {"reason": "外出务工", "trainee": trainee(YE)}
    answer = ask(client, small_world, "base_clerk", "POST", f"/enrolments/{leaving.id}/substitution", **body)
    assert (answer.status_code, answer.get_json()["substitutes"]) == (201, str(leaving.id))
    shown = ask(client, small_world, "county_officer", "GET", f"/classes/{training_class.id}").get_json()
    assert (shown["counts"]["enrolled"], shown["counts"]["withdrawn"]) == (1, 1)
    assert "substitute" in [step["action"] for step in shown["steps"]]
    again = ask(client, small_world, "base_clerk", "POST", f"/enrolments/{leaving.id}/substitution", **body)
    assert (again.status_code, again.get_json()["code"]) == (409, "already_in_class")


def test_accommodations_and_corrections_go_in_and_come_out(client: FlaskClient, small_world: World) -> None:
    (enrolment,) = small_world.enrol(small_world.open_class(), 1)
    path = f"/enrolments/{enrolment.id}"
    given = {"code": "wheelchair", "given_on": "2025-02-10", "remark": "一楼教室"}
    answer = ask(client, small_world, "base_clerk", "POST", f"{path}/accommodations", **given)
    assert (answer.status_code, answer.get_json()["accommodations_given"]) == (201, [given])
    corrected = {"reason": "补报", "accommodations": ["wheelchair"], "card_issued_on": "2019-05-06"}
    told = ask(client, small_world, "county_officer", "POST", f"{path}/particulars", **corrected).get_json()
    assert (told["accommodations"], told["card_issued_on"]) == (["wheelchair"], "2019-05-06")
    emptied = {"reason": "误填", "card_issued_on": None}
    assert "card_issued_on" not in ask(
        client, small_world, "base_clerk", "POST", f"{path}/particulars", **emptied
    ).get_json()  # fmt: skip


def test_a_consent_is_given_taken_back_and_listed(client: FlaskClient, small_world: World) -> None:
    (enrolment,) = small_world.enrol(small_world.open_class(), 1)
    path = f"/enrolments/{enrolment.id}/consents"
    body = {"given_on": "2025-02-09", "means": "guardian"}
    made = ask(client, small_world, "base_clerk", "POST", path, **body)
    assert (made.status_code, made.get_json()["means_text"]) == (201, "监护人代签")
    assert ask(client, small_world, "base_clerk", "POST", path, **body).get_json()["code"] == "consent_stands"
    gone = ask(client, small_world, "city_officer", "POST", f"{path}/withdrawal")
    assert (gone.status_code, gone.get_json()["status"]) == (200, "withdrawn")
    (listed,) = ask(client, small_world, "auditor", "GET", path).get_json()["items"]
    assert listed["withdrawn_at"] and listed["text_version"] == "2021-1"
    assert ask(client, small_world, "base_clerk", "GET", f"/enrolments/{enrolment.id}").get_json()[
        "consent"
    ] == ("withdrawn")
    text = ask(client, small_world, "base_clerk", "GET", "/consent-text").get_json()
    assert text["version"] == "2021-1" and len(text["paragraphs"]) == 5


def test_the_signed_form_is_kept_as_a_scan_of_its_consent(client: FlaskClient, small_world: World) -> None:
    (enrolment,) = small_world.enrol(small_world.open_class(), 1)
    consent = consents.give(
        small_world.act("base_clerk"), enrolment, given_on=small_world.now.date(), means="thumbprint"
    )
    form = forms(client, small_world, enrolment.training_class)
    body = {"owner": "consent", "owner_id": str(consent.id), "kind": "consent_form"}
    for account, status in (("base_clerk", 201), ("county_officer", 403)):
        answer = client.post(
            "/api/v1/documents",
            data={**body, "file": (io.BytesIO(form), "scan.pdf")},
            headers={"Authorization": f"Bearer {small_world.key(account)}"},
        )
        assert answer.status_code == status


def text_of(content: bytes) -> str:
    told = subprocess.run(["pdftotext", "-raw", "-", "-"], input=content, capture_output=True, check=True)
    return told.stdout.decode()


def forms(client: FlaskClient, world: World, training_class: TrainingClass) -> bytes:
    answer = ask(client, world, "base_clerk", "GET", f"/classes/{training_class.id}/consent-forms.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    return bytes(answer.data)


def test_consent_forms_are_printed_for_those_who_lack_one(client: FlaskClient, small_world: World) -> None:
    training_class = small_world.open_class()
    first, second, third = small_world.enrol(training_class, 3)
    enrolments.withdraw(small_world.act("base_clerk"), third, "因病")
    consents.give(small_world.act("base_clerk"), second, given_on=small_world.now.date(), means="electronic")
    content = forms(client, small_world, training_class)
    text = text_of(content)
    assert PEOPLE[0][0] in text and PEOPLE[1][0] not in text and PEOPLE[2][0] not in text
    assert first.id and all(number not in text for _, number, _ in PEOPLE)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 1
        assert pdf.Root.MarkInfo.Marked and pdf.Root.Lang == "zh-CN" and "/StructTreeRoot" in pdf.Root
        assert "pdfuaid" in pdf.Root.Metadata.read_bytes().decode()


def test_a_class_where_nobody_lacks_a_consent_gives_a_blank_form(
    client: FlaskClient, small_world: World
) -> None:
    assert "姓名：" in text_of(forms(client, small_world, small_world.open_class()))

"""Who may do what, to whose records: a matrix made from the application's own routes.

Every route × every role × {own, sibling base, other county}: a role that a route is not for is refused
before anything else, and a record that is not the caller's business answers exactly as an unknown one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from api import callers, limits
from skills_registry import employment, notices, person_files, safeguards
from skills_registry.bases import entries
from skills_registry.certification import held as held_certificates
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.held import Held
from skills_registry.documents import Document
from skills_registry.employment import Facts
from skills_registry.exits import appeals, sanctions
from skills_registry.foundation.acts import ROLES
from skills_registry.training import assessments, changes, uploads
from skills_registry.training.classes import TrainingClass
from skills_registry.training.timetable import sessions_of
from tests import admission, catalogue, competing, evaluated, planned, timetables
from tests.base_files import complete_file
from tests.conftest import SAMPLES
from tests.world import World, application

#: Accounts whose business the records of this world's base are not: role → account.
STRANGERS = {
    "base_clerk": "sibling_clerk",
    "county_officer": "other_county_officer",
    "city_officer": "far_officer",
    "auditor": "far_auditor",
    "admin": "far_admin",
}

#: What stands for an id that no record has.
UNKNOWN = "01a203f0-acbc-767f-82bd-f38f1bb513ab"
UNKNOWN_NUMBER = "630200-2031-000001-0"


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


@pytest.fixture
def named(small_world: World) -> dict[str, str]:
    """One record of this world for each id that a route may name."""
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    far = small_world.accounts["other_county_officer"].organisation
    far_city = type(far).create(name="邻市登记处", kind="federation", division_code="630100")
    small_world.hire("far_officer", far_city, "city_officer")
    small_world.hire("far_auditor", far_city, "auditor")
    small_world.hire("far_admin", far_city, "admin")
    certificate = small_world.issued()[0]
    training_class = small_world.open_class(title="第二期")
    upload = uploads.stage(
        small_world.act("base_clerk"), training_class, "roster", (SAMPLES / "roster-clean.xlsx").read_bytes()
    )
    application = admission.draft(small_world, small_world.base, clerk="base_clerk")
    letter = sanctions.impose(
        small_world.act("county_officer"), small_world.base, "interview", ground="no_textbooks", reason="检查"
    )
    clerk = small_world.act("base_clerk")
    return {
        "account_id": str(small_world.accounts["base_clerk"].id),
        "prefix": small_world.key("second_clerk").split("_")[1],
        "application_id": str(application.id),
        "inspection_id": UNKNOWN,
        "base_id": str(small_world.base.id),
        "class_id": str(training_class.id),
        "upload_id": str(upload.id),
        "change_id": str(
            changes.report(clerk, training_class, reason="积雪", ends_on=date(2025, 4, 18))[0].id
        ),
        "enrolment_id": str(certificate.enrolment_id),
        "evaluation_id": str(evaluated.in_state(small_world, "open").id),
        "assessment_id": str(_assessment(small_world, training_class)),
        "session_id": str(_session(small_world)),
        "sanction_id": str(letter.id),
        "appeal_id": str(appeals.file_appeal(clerk, "sanction", letter.id, "事实有误").id),
        "number": certificate.number,
        "project_id": str(planned.drafted(small_world).id),
        "resource_id": str(catalogue.drafted(small_world).id),
        **_file_and_notice(small_world),
        **_person_file(small_world, certificate),
        **competing.named(small_world),
    }


def _session(world: World) -> UUID:
    """The first session of a class that the base has filed."""
    filed = world.filed_class(title="第三期")
    timetables.planned(world, filed, [timetables.session()])
    return sessions_of(filed)[0].id


def _assessment(world: World, training_class: TrainingClass) -> UUID:
    """A sitting of the class that its base has planned."""
    judges = [assessments.Judge(name="马文礼", organisation="技师学院")]
    planned = assessments.Plan(training_class.ends_on, "考场", judges)
    return assessments.plan_assessment(world.act("base_clerk"), training_class, planned)[0].id


def _file_and_notice(world: World) -> dict[str, str]:
    """What stands in the base's file, and a notice with an objection."""
    complete_file(world, world.base, "base_clerk")
    notice = notices.publish(
        world.act("city_officer"),
        subject="base",
        subject_id=world.base.id,
        title="公示",
        text="公示内容",
        working_days=5,
        division_code=world.base.division_code,
    )
    objection = notices.object_to(world.act("auditor"), notice, text="不实", contact="某某")
    return {
        "site_id": str(entries.Site.get().id),
        "teacher_id": str(entries.Teacher.get().id),
        "equipment_id": str(entries.Equipment.get().id),
        "document_id": str(Document.get().id),
        "notice_id": str(notice.id),
        "objection_id": str(objection.id),
    }


def _person_file(world: World, certificate: Certificate) -> dict[str, str]:
    """What stands in the file of a person whom the base trained."""
    officer, person = world.act("county_officer"), certificate.person
    work = Facts(form="farming", started_on=world.now.date())
    held = Held(kind="skill_level", number="Y1", issuer="某机构", issued_on=world.now.date())
    service = employment.record_service(officer, person, "job_introduction", world.now.date())
    asked = person_files.request(officer, person, "sex", "female", asked_by="person", reason="身份证")
    wish = safeguards.request(officer, person, asked_by="person", reason="本人书面申请")
    return {
        "person_id": str(person.id),
        "employment_id": str(employment.report(officer, person, work, enrolment=certificate.enrolment)[0].id),
        "held_id": str(held_certificates.register(officer, person, held)[0].id),
        "service_id": str(service.id),
        "correction_id": str(asked.id),
        "erasure_id": str(wish.id),
    }


def routes(client: FlaskClient) -> Iterator[tuple[str, str, tuple[str, ...], frozenset[str]]]:
    """Method, path, names of ids, and roles of every API route."""
    app = client.application
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(callers.API_PREFIX):
            roles: frozenset[str] = app.view_functions[rule.endpoint].roles  # type: ignore[attr-defined]
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, rule.rule, tuple(sorted(rule.arguments)), roles


def filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"<{name}>", value)
    return path


def ask(client: FlaskClient, world: World, account: str, method: str, path: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {world.key(account)}"}
    body = {"json": {"reason": "理由", "name": "某某"}} if method != "GET" else {}
    answer = client.open(path, method=method, headers=headers, **body)
    return answer.status_code, answer.get_json(silent=True)


def test_the_matrix_knows_a_record_for_every_id_that_a_route_names(
    client: FlaskClient, named: dict[str, str]
) -> None:
    asked = {name for _, _, names, _ in routes(client) for name in names}
    assert asked <= set(named)


def test_a_role_that_a_route_is_not_for_is_refused_on_every_route(
    client: FlaskClient, small_world: World, named: dict[str, str]
) -> None:
    small_world.hire("expert", small_world.accounts["auditor"].organisation, "expert")
    accounts = {role: role for role in ROLES if role != "public"}
    refused = 0
    for method, path, _, roles in routes(client):
        for role, account in accounts.items():
            if role not in roles:
                status, body = ask(client, small_world, account, method, filled(path, named))
                assert (status, body["code"]) == (403, "not_allowed"), (role, method, path)
                refused += 1
    assert refused > 40


def test_a_foreign_record_answers_exactly_as_an_unknown_one_on_every_route(
    client: FlaskClient, small_world: World, named: dict[str, str]
) -> None:
    unknown = {name: UNKNOWN_NUMBER if name == "number" else UNKNOWN for name in named}
    compared = 0
    for method, path, names, roles in routes(client):
        for role, account in STRANGERS.items():
            if not names or role not in roles:
                continue
            foreign = ask(client, small_world, account, method, filled(path, named))
            missing = ask(client, small_world, account, method, filled(path, unknown))
            assert foreign == missing, (role, method, path)
            assert foreign[0] in (404, 422), (role, method, path, foreign)
            compared += 1
    assert compared > 30


def test_lists_hold_nothing_that_is_not_the_callers_business(
    client: FlaskClient, small_world: World, named: dict[str, str]
) -> None:
    own = {UUID(value) for name, value in named.items() if name not in ("number", "prefix")}
    for method, path, names, roles in routes(client):
        for role, account in STRANGERS.items():
            if method != "GET" or names or role not in roles:
                continue
            status, body = ask(client, small_world, account, method, path)
            assert status == 200, (role, path)
            shown = {UUID(item["id"]) for item in (body or {}).get("items", ()) if "id" in item}
            assert not shown & own, (role, path)


def test_an_auditor_reads_and_changes_nothing_and_an_admin_approves_nothing(client: FlaskClient) -> None:
    for method, path, _, roles in routes(client):
        # Everybody looks after their own keys: nothing on record changes by that.
        if method != "GET" and not path.startswith(f"{callers.API_PREFIX}/me/"):
            assert "auditor" not in roles, path
            if not path.startswith((f"{callers.API_PREFIX}/accounts", f"{callers.API_PREFIX}/organisations")):
                assert "admin" not in roles, path


#: What stands in the path of a route that shows people who are trained, or their papers.
OF_TRAINEES = (
    *("people", "person", "enrolment", "roster", "attendance", "consent", "result", "certificates"),
    *("uploads", "classes", "employment", "services", "corrections", "erasures", "entries", "assessment"),
    *("documents", "objections", "awards", "satisfaction"),
)


def test_an_admin_keeps_accounts_and_sees_no_trainee(client: FlaskClient) -> None:
    blank = ("roster-template.xlsx", "timetable-template.xlsx", "consent-text")
    shown = [
        path
        for _, path, _, roles in routes(client)
        if "admin" in roles and not path.endswith(blank) and any(word in path for word in OF_TRAINEES)
    ]
    assert shown == []

"""A base's whole life, told once: from a first application to an appeal that brings it back on the list."""

from __future__ import annotations

from datetime import date

import pytest

from certificates import token, verification
from skills_registry import bases, evaluation, notices
from skills_registry.bases import Base, applications, panels, reviews, scores
from skills_registry.bases.applications import Application
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.plaques import RecordedPapers
from skills_registry.exits import appeals, cures, teach_out
from skills_registry.exits.leaving import Exit
from skills_registry.exits.sanctions import Sanction
from skills_registry.foundation.errors import SeparationOfDuties, WrongState
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.training import enrolments
from skills_registry.training.classes import TrainingClass
from tests import admission, evaluated
from tests.admission import EXPERTS
from tests.test_exits import imposed, standing
from tests.world import World

LATER = {"starts_on": date(2026, 3, 9), "ends_on": date(2026, 4, 17)}


def admitted(world: World) -> Application:
    """Returned once, recommended, visited by two, marked by three with a recusal, noticed, listed."""
    application = admission.submitted(world, admission.applicant(world))
    reviews.return_for_correction(world.act("county_officer"), application, "请补充消防意见")
    applications.submit(world.act("applicant"), application)
    reviews.preliminary_review(world.act("county_officer"), application, "recommend", "材料齐全")
    application = admission.appoint(world, admission.inspect(world, application), *EXPERTS[:3])
    panels.recuse(world.act("expert_2"), admission.seat(application, world, "expert_2"), "曾在该校任教")
    panels.appoint(world.act("city_officer"), application, [world.accounts["expert_4"]])
    admission.score(world, application, "expert_1")
    assert scores.visible_sheets(world.act("expert_3"), panels.require_panel(application)) == []
    application = admission.score(world, application, "expert_3", "expert_4")
    admission.publish(world, application)
    return listed_after_an_objection(world, admission.again(application))


def listed_after_an_objection(world: World, application: Application) -> Application:
    """The objection must be answered before anybody decides."""
    objection = admission.object_to(world, application)
    world.on(2025, 2, 18)
    with pytest.raises(notices.ObjectionsUnanswered):
        reviews.list_base(world.act("deciding_officer"), application, basis="1号文")
    notices.answer(world.act("city_officer"), objection, "已现场核实，通道畅通", upheld=False)
    reviews.list_base(world.act("deciding_officer"), admission.again(application), basis="东残联〔2025〕1号")
    return admission.again(application)


def rectified(world: World, base: Base) -> None:
    """No class is filed meanwhile; cured, accepted, lifted."""
    letter = imposed(world, "rectification", base)
    with pytest.raises(bases.NewClassesHeld):
        world.filed_class(title="整改期间的班", **LATER)
    cures.report_cure(world.act("base_clerk"), letter, "已补聘教师")
    cures.accept_cure(world.act("city_officer"), letter, "验收合格")
    cures.lift(world.act("city_officer"), letter, "提前恢复")


def struck_off(world: World, base: Base) -> tuple[Sanction, Certificate]:
    """Struck off while a class runs; the class is taught out and its trainees get certificates."""
    running = world.open_class(title="在训班", **LATER)
    for enrolment in world.enrol(running, 2):
        world.grade(enrolment)
    terminated = imposed(world.on(2026, 3, 20), "termination", base)
    assert standing(world, base) == "ended"
    teach_out.decide_class(
        world.act("county_officer"), Exit.get(), running.id, "finish_here", reason="派员监督"
    )
    enrolments.submit_class(world.act("base_clerk"), TrainingClass.get_by_id(running.id))
    taught_out = world.on(2026, 3, 26).issue(TrainingClass.get_by_id(running.id))[0]
    teach_out.close(world.act("county_officer"), Exit.get(), "学员全部落实")
    return terminated, taught_out


def test_from_application_to_an_appeal_that_brings_the_base_back(world: World) -> None:
    application = admitted(world)
    base = application.base
    assert standing(world, base) == "listed"
    world.base, world.accounts["base_clerk"] = base, world.accounts["applicant"]
    early = world.issued()[0]
    finished = evaluated.in_state(world, "final")
    assert evaluation.grades_of(base) == [(2025, finished.grade)]
    rectified(world.on(2026, 2, 2), base)
    terminated, taught_out = struck_off(world, base)
    for certificate, told in ((early, "发证时"), (taught_out, "开班时")):
        found = scanned(world, certificate)
        assert (found.code, found.base_left_on) == ("valid", date(2026, 3, 20))
        assert told in found.base_sentence()
    appeal = appeals.file_appeal(world.act("base_clerk"), "sanction", terminated.id, "事实认定有误")
    with pytest.raises(SeparationOfDuties):
        appeals.decide(world.act("city_officer"), appeal, "overturned", "原决定依据不足")
    appeals.decide(world.act("other_deciding_officer"), appeal, "overturned", "原决定依据不足")
    assert standing(world, base) == "listed"
    assert scanned(world, early).base_left_on is None
    with pytest.raises(WrongState):
        appeals.decide(world.act("other_deciding_officer"), appeal, "upheld", "再议")
    moves = [step.action for step in steps_of(application.id) if step.to]
    assert moves[:4] == ["apply", "submit", "return", "submit"]


def scanned(world: World, certificate: Certificate) -> verification.Verdict:
    act = world.act("auditor")
    code = token.encode(certificate.statement, certificate.signature)
    return verification.check(code, keys=world.service.key_ring(), registry=RecordedPapers(act), on=act.today)

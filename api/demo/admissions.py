"""Bases that apply in 2026, each brought as far as the plan says, by the people whose part it is."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from api.demo.city import EXPERTS, SECOND, City
from api.demo.plan import APPLICATIONS, PlannedApplication
from certificates.document import fonts
from skills_registry import documents
from skills_registry.bases import Base, applications, entries, inspections, panels, reviews, scores
from skills_registry.bases.applications import Application
from skills_registry.bases.entries import EquipmentFacts, Identity, Site, SiteFacts, TeacherFacts
from skills_registry.bases.inspections import Visit
from skills_registry.certification import plaques
from skills_registry.foundation.acts import Act

#: The smallest contents that the registry takes for a PDF and for a picture.
_PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
    for kind, body in (
        (b"IHDR", bytes.fromhex("00000001000000010800000000")),
        (b"IDAT", zlib.compress(b"\0\xff")),
        (b"IEND", b""),
    )
)

#: The states on the way to the list, in their order.
WAY = ("submitted", "recommended", "inspected", "expert_review", "reviewed", "noticed", "listed")


def apply_all(city: City) -> None:
    """Every application of the plan."""
    for plan in APPLICATIONS:
        _Applicant(city, plan).go()


class _Applicant:
    """One base on its way; ``_day`` moves on with every step."""

    def __init__(self, city: City, plan: PlannedApplication) -> None:
        self._city, self._plan, self._day = city, plan, plan.begins_on
        self._base: Base = city.enter_base(plan.name, plan.division_code, plan.kind, plan.begins_on)

    def go(self) -> None:
        """From the file to the state that the plan names."""
        application = self._submit()
        if self._plan.until == "refused":
            self._refuse(application)
            return
        steps: dict[str, Callable[[Application], object]] = {
            "recommended": self._recommend,
            "inspected": self._inspect,
            "expert_review": self._appoint,
            "reviewed": self._score,
            "noticed": self._publish,
            "listed": self._list,
        }
        for state in WAY[1 : WAY.index(self._plan.until) + 1]:
            self._day += timedelta(days=4)
            steps[state](application)
            application = Application.get_by_id(application.id)
        if self._plan.until == "expert_review":  # two of three sheets are in
            self._score(application, EXPERTS[:2])

    def _clerk(self) -> Act:
        return self._city.act(self._base.name, "base_clerk", self._day)

    def _county(self, which: str = "") -> Act:
        return self._city.act(self._plan.division_code + which, "county_officer", self._day)

    def _officer(self, which: str = "") -> Act:
        return self._city.act("630200" + which, "city_officer", self._day)

    def _submit(self) -> Application:
        act = self._clerk()
        _complete_file(self._city, act, self._base)
        sites = [site.id for site in entries.entries_of(self._base, Site)]
        draft = applications.apply(act, self._base, scope=self._plan.scope, sites=sites)
        return applications.submit(act, draft)

    def _refuse(self, application: Application) -> None:
        self._day += timedelta(days=5)
        reviews.preliminary_review(
            self._county(), application, "not_recommend", "演示：场地租期不足，设备未到位。"
        )
        self._day += timedelta(days=5)
        reviews.refuse(self._officer(), application, "演示：县级初审不予推荐，所列问题核实无误。")

    def _recommend(self, application: Application) -> None:
        reviews.preliminary_review(self._county(), application, "recommend", "演示：材料齐全，同意推荐。")

    def _inspect(self, application: Application) -> None:
        first = self._county()
        photo = documents.keep(
            first, "application", application.id, "inspection_photo", _PNG, self._city.service.shelf()
        )
        items = first.policy.rule("admission_checklist", first.today)["items"]
        visit = Visit(
            visited_on=first.today,
            answers={item["code"]: {"met": True, "remark": ""} for item in items},
            findings="演示：场地、设备与申报一致。",
            photos=[photo.id],
        )
        report = inspections.file_inspection(first, application, visit)
        inspections.sign_inspection(self._county(SECOND), report)

    def _appoint(self, application: Application) -> None:
        chosen = [self._city.accounts[expert, "expert"] for expert in EXPERTS]
        panels.appoint(self._officer(), application, chosen)

    def _score(self, application: Application, experts: tuple[str, ...] = EXPERTS) -> None:
        panel = panels.require_panel(application)
        for place, expert in enumerate(experts):
            act = self._city.act(expert, "expert", self._day)
            seat = panels.seat_of(act, panel)
            if seat is not None:
                points = {criterion["code"]: 8 + (place == 1) for criterion in panel.criteria}
                scores.hand_in(act, seat, points, "演示：符合条件。")

    def _publish(self, application: Application) -> None:
        reviews.publish(
            self._officer(),
            application,
            title=f"拟认定基地公示：{self._base.public_name}",
            text=f"经县（区）推荐、实地考察和专家评审，拟认定{self._base.public_name}，现予公示。",
        )

    def _list(self, application: Application) -> None:
        self._day = application.notice.closes_on + timedelta(days=3)
        basis = f"演示：认定文件〔{self._day.year}〕1号"
        listing = reviews.list_base(self._officer(SECOND), application, basis=basis)
        signer = self._city.service.signer()
        self._city.plaques.append(plaques.issue(self._officer(), listing, signer, fonts.uncovered))


def _complete_file(city: City, act: Act, base: Base) -> UUID:
    """What an application asks for: identity, a site, two teachers, equipment and documents."""
    identity = Identity(
        legal_person="马建国",
        licence=f"演示许可 {base.number:04d}",
        licence_until=date(2035, 12, 31),
        business_scope="职业技能培训",
        registered_on=date(2019, 5, 6),
    )
    entries.write_identity(act, base, identity, version=entries.file_of(base).version)
    site = SiteFacts(
        name="主校区",
        address="演示路1号",
        area=600,
        capacity=60,
        tenure="own",
        tenure_until=None,
        accessibility=["step_free_entrance", "handrails", "accessible_toilet"],
    )
    kept = entries.add_site(act, base, site)
    for name in ("祁玉兰", "东永福"):
        entries.add_teacher(
            act,
            base,
            TeacherFacts(
                name=name, qualification="高级技师", level="一级", full_time=True, course="技能实操"
            ),
        )
    entries.add_equipment(act, base, EquipmentFacts(name="实训设备", model="演示", quantity=30))
    for kind in act.policy.rule("base_file", act.today)["required_documents"]:
        documents.keep(act, "base", base.id, kind, _PDF, city.service.shelf())
    return kept.id

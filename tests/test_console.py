"""The console: every page for every role, a class from filing to certificates by forms alone, mistakes beside their field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api import limits
from skills_registry.accounts import sessions
from skills_registry.training.classes import TrainingClass
from skills_registry.training.uploads import Upload
from tests.made_sheets import workbook
from tests.world import MASSAGE, PEOPLE, World, application

TLS = "https://skills.haidong.example"
ROLES = ("base_clerk", "county_officer", "city_officer", "auditor", "admin")


class Desk:
    """A browser in which somebody has signed in; it reads pages and sends their forms."""

    def __init__(self, app: Flask, world: World, name: str) -> None:
        self.world, self.client = world, app.test_client()
        account = world.accounts[name]
        text, session = sessions.open_session(world.act(name), account.operator)
        if session.account_id is None:
            sessions.choose_account(session, account)
        self.client.set_cookie("__Host-session", text, domain="skills.haidong.example", secure=True)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(path, base_url=TLS, query_string=query)

    def send(self, page: TestResponse, path: str, **typed: Any) -> TestResponse:
        """Send the form of the page that leads to this path, with what hides in it; a redirection is followed."""
        form = next(f for f in re.findall(r"<form.*?</form>", page.text, re.S) if f'action="{path}' in f)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        if "file" in typed:
            typed["file"] = (BytesIO(typed["file"]), "sheet.xlsx")
        return self.client.post(path, base_url=TLS, data=hidden | typed, follow_redirects=True)


@pytest.fixture
def app(small_world: World) -> Iterator[Flask]:
    made = application(small_world)
    limits.limiter.enabled = False
    yield made
    limits.limiter.enabled = True


def desks(app: Flask, world: World, *names: str) -> list[Desk]:
    return [Desk(app, world, name) for name in names]


def answer_of(page: TestResponse) -> str:
    """What the page says first: the text of its status region."""
    region = re.search(r'role="status".*?</div>', page.text, re.S)
    assert region
    return re.sub(r"<[^>]+>", "", region[0])


ROSTER = workbook([["姓名", "公民身份号码"], *[[name, number] for name, number, _ in PEOPLE[:3]]])
BROKEN_ROSTER = workbook(
    [["姓名", "公民身份号码"], [PEOPLE[0][0], PEOPLE[0][1]], ["马得福", "63020219920404"]]
)
RESULTS = workbook(
    [
        ["姓名", "公民身份号码", "出勤课时", "理论成绩", "实操成绩"],
        *[[name, number, 110, 80, 85] for name, number, _ in PEOPLE[:3]],
    ]
)
FILING = {
    "title": "2025年保健按摩师五级班",
    "training_type": "employment_skills",
    "trade": f"{MASSAGE.edition}|{MASSAGE.code}|{MASSAGE.name}",
    "level": "level5_junior",
    "starts_on": "2025-03-03",
    "ends_on": "2025-04-11",
    "class_hours": "120",
    "capacity": "30",
    "papers": "理论、实操",
}


def test_a_class_goes_from_filing_to_certificates_by_forms_alone(small_world: World, app: Flask) -> None:
    clerk, county, city = desks(app, small_world, "base_clerk", "county_officer", "city_officer")
    filed = clerk.send(clerk.get("/console/classes/new"), "/console/classes/new", **FILING)
    assert "已备案" in answer_of(filed)
    made = TrainingClass.get()
    here = f"/console/classes/{made.id}"
    assert f'href="{here}"' in county.get("/console").text
    opened = county.send(county.get(here), f"{here}/opening")
    assert "已开班" in answer_of(opened)

    report = clerk.send(clerk.get(here), f"{here}/uploads", form="roster", file=ROSTER)
    upload = Upload.get()
    assert "确认登记这3行" in report.text
    assert "等待" not in answer_of(report)
    at = f"/console/uploads/{upload.id}"
    assert at in clerk.get("/console").text
    assert "已登记" in answer_of(clerk.send(report, f"{at}/confirmation"))

    small_world.on(2025, 4, 12)
    clerk, city = desks(app, small_world, "base_clerk", "city_officer")
    early = clerk.send(clerk.get(here), f"{here}/submission")
    assert (early.status_code, "没有成绩" in answer_of(early)) == (409, True)
    report = clerk.send(clerk.get(here), f"{here}/uploads", form="results", file=RESULTS)
    graded = Upload.get(Upload.kind == "results")
    page = clerk.send(report, f"/console/uploads/{graded.id}/confirmation")
    assert "人人都有成绩了" in page.text
    assert "已提交" in answer_of(clerk.send(page, f"{here}/submission"))

    waiting = city.get(here)
    assert "将给3名合格学员编号" in waiting.text
    unsaid = city.send(waiting, f"{here}/return", reason="")
    assert (unsaid.status_code, "太短或未填写" in unsaid.text or "必须填写" in unsaid.text) == (422, True)
    issued = city.send(waiting, f"{here}/approval")
    assert "已审批" in answer_of(issued)
    numbers = set(re.findall(r"6302\d\d-2025-\d{6}-\d", issued.text))
    assert len(numbers) == 3
    zipped = clerk.get(f"{here}/certificates.zip")
    with ZipFile(BytesIO(zipped.data)) as archive:
        assert {name.removesuffix(".pdf") for name in archive.namelist()} == numbers


def test_every_page_answers_every_role_with_itself_or_a_refusal(small_world: World, app: Flask) -> None:
    certificate = small_world.issued()[0]
    made = small_world.open_class(title="第二期")
    clerk = Desk(app, small_world, "base_clerk")
    clerk.send(
        clerk.get(f"/console/classes/{made.id}"),
        f"/console/classes/{made.id}/uploads",
        form="roster",
        file=ROSTER,
    )
    ids = {
        "class_id": certificate.training_class_id,
        "enrolment_id": certificate.enrolment_id,
        "upload_id": Upload.get().id,
        "account_id": small_world.accounts["second_clerk"].id,
        "number": certificate.number,
    }
    query = {"reason": "抽查"}
    seen = dict.fromkeys(ROLES, 0)
    for role, desk in zip(ROLES, desks(app, small_world, *ROLES), strict=True):
        for rule in app.url_map.iter_rules():
            names = {argument.split(":")[-1] for argument in rule.arguments}
            if (
                not rule.endpoint.startswith("console.")
                or "GET" not in (rule.methods or ())
                or not names <= set(ids)
            ):
                continue
            path = rule.rule.replace("uuid:", "")
            for name, value in ids.items():
                path = path.replace(f"<{name}>", str(value))
            expected = 200 if role in app.view_functions[rule.endpoint].roles else 403  # type: ignore[attr-defined]
            for lang in ("zh", "en"):
                page = desk.get(path, lang=lang, **(query if "/file" in path else {}))
                assert page.status_code == expected, (role, path)
                if page.mimetype == "text/html" and expected == 200:
                    assert lang == "en" or "None" not in page.text, (role, path)
                    seen[role] += 1
    assert all(count >= 6 for count in seen.values()), seen


def test_every_view_of_the_console_says_whom_it_is_for(app: Flask, small_world: World) -> None:
    del small_world
    undeclared = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and not hasattr(app.view_functions[rule.endpoint], "roles")
    ]
    assert undeclared == []


def test_an_auditor_changes_nothing_and_an_administrator_decides_nothing(
    app: Flask, small_world: World
) -> None:
    del small_world
    for rule in app.url_map.iter_rules():
        if (
            rule.endpoint.startswith("console.")
            and "POST" in (rule.methods or ())
            and "/me/" not in rule.rule
        ):
            roles: frozenset[str] = app.view_functions[rule.endpoint].roles  # type: ignore[attr-defined]
            assert "auditor" not in roles, rule.rule
            assert "admin" not in roles or rule.rule.startswith("/console/accounts"), rule.rule


def test_a_form_without_its_token_changes_nothing(small_world: World, app: Flask) -> None:
    made = small_world.filed_class()
    county = Desk(app, small_world, "county_officer")
    refused = county.client.post(f"/console/classes/{made.id}/opening", base_url=TLS)
    assert (refused.status_code, TrainingClass.get().status) == (403, "filed")


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    small_world: World, app: Flask
) -> None:
    clerk = Desk(app, small_world, "base_clerk")
    form = clerk.get("/console/classes/new")
    wrong = clerk.send(form, "/console/classes/new", **FILING | {"class_hours": "many", "capacity": ""})
    assert wrong.status_code == 422
    assert 'id="filing-class_hours-wrong"' in wrong.text
    assert 'id="filing-capacity-wrong"' in wrong.text
    assert 'value="many"' in wrong.text
    assert 'value="2025年保健按摩师五级班"' in wrong.text
    assert '<option value="level5_junior" selected>' in wrong.text
    backwards = clerk.send(form, "/console/classes/new", **FILING | {"ends_on": "2025-03-01"})
    assert "结业日期不能早于开班日期" in backwards.text
    lower = clerk.send(form, "/console/classes/new", **FILING | {"level": "level3_senior"})
    assert (lower.status_code, "请更正" in answer_of(lower)) == (409, True)
    assert not TrainingClass.select().exists()


def test_refused_rows_are_counted_filtered_and_given_back(small_world: World, app: Flask) -> None:
    made = small_world.open_class()
    clerk, here = Desk(app, small_world, "base_clerk"), f"/console/classes/{made.id}"
    report = clerk.send(clerk.get(here), f"{here}/uploads", form="roster", file=BROKEN_ROSTER)
    at = f"/console/uploads/{Upload.get().id}"
    assert '<th scope="row" class="number">3</th>' in report.text
    assert '<th scope="row" class="number">2</th>' not in report.text
    assert '<th scope="row" class="number">2</th>' in clerk.get(at, only="all").text
    assert "63020219920404" not in report.text
    assert clerk.get(f"{at}/refused.xlsx").data.startswith(b"PK")
    assert "已放弃" in answer_of(clerk.send(report, f"{at}/discarding"))
    assert "放弃" in clerk.get(at).text


def test_a_missing_or_unreadable_file_is_told_beside_the_form(small_world: World, app: Flask) -> None:
    made = small_world.open_class()
    clerk, here = Desk(app, small_world, "base_clerk"), f"/console/classes/{made.id}"
    empty = clerk.send(clerk.get(here), f"{here}/uploads", form="roster", file=b"")
    assert (empty.status_code, 'id="roster-file-wrong"' in empty.text) == (422, True)
    strange = clerk.send(clerk.get(here), f"{here}/uploads", form="roster", file=b"%PDF-1.7 no sheet")
    assert (strange.status_code, "未能办理" in answer_of(strange)) == (422, True)
    assert not Upload.select().exists()


def test_whoever_worked_on_a_class_reads_why_they_cannot_decide_about_it(
    small_world: World, app: Flask
) -> None:
    made = small_world.submitted_class()
    clerk = small_world.accounts["base_clerk"]
    city = small_world.accounts["city_officer"].organisation
    small_world.hire("same_person", city, "city_officer", operator=clerk.operator)
    desk, here = Desk(app, small_world, "same_person"), f"/console/classes/{made.id}"
    refused = desk.send(desk.get(here), f"{here}/approval")
    assert refused.status_code == 403
    assert "须回避，请由其他人员办理" in answer_of(refused)
    assert TrainingClass.get().status == "submitted"


def test_a_foreign_class_answers_as_an_unknown_one(small_world: World, app: Flask) -> None:
    made = small_world.filed_class()
    stranger = Desk(app, small_world, "other_county_officer")
    unknown = "01a203f0-acbc-767f-82bd-f38f1bb513ab"
    for path in ("", "/trainees", "/sessions"):
        foreign = stranger.get(f"/console/classes/{made.id}{path}")
        missing = stranger.get(f"/console/classes/{unknown}{path}")
        assert (
            (foreign.status_code, foreign.text) == (missing.status_code, missing.text) == (404, missing.text)
        )


def test_a_certificate_is_found_by_number_suspended_reinstated_reissued_and_revoked(
    small_world: World, app: Flask
) -> None:
    number = small_world.issued()[0].number
    city = Desk(app, small_world, "city_officer")
    unknown = city.get("/console/certificates", number="630200-2031-000001-0")
    assert (unknown.status_code, "没有查到" in unknown.text) == (422, True)
    assert city.get("/console/certificates", number=number).headers["Location"].endswith(number)
    at = f"/console/certificates/{number}"
    assert "已暂停" in answer_of(city.send(city.get(at), f"{at}/suspension", reason="复核"))
    assert "已恢复" in answer_of(city.send(city.get(at), f"{at}/reinstatement", reason="复核完毕"))
    fresh = city.send(city.get(at), f"{at}/reissue", name="", reason="遗失")
    assert "新证书已签发" in answer_of(fresh)
    assert number in fresh.text
    newer = re.search(r"<h1><span class=\"number\">([0-9-]+)</span>", fresh.text)
    assert newer
    assert newer[1] != number
    again = f"/console/certificates/{newer[1]}"
    assert "已撤销" in answer_of(city.send(city.get(again), f"{again}/revocation", reason="出勤不实"))
    assert f"{again}/revocation" not in city.get(again).text
    clerk = Desk(app, small_world, "base_clerk")
    assert f"{again}/suspension" not in clerk.get(again).text


def test_an_account_is_opened_confirmed_by_a_second_person_and_invited(
    small_world: World, app: Flask
) -> None:
    admin, city = desks(app, small_world, "admin", "city_officer")
    form = admin.get("/console/accounts/new")
    typed = {"operator": "王秀英", "role": "county_officer", "organisation_id": "", "division_code": "630202"}
    nowhere = admin.send(form, "/console/accounts/new", **typed)
    assert (nowhere.status_code, 'value="王秀英"' in nowhere.text) == (422, True)
    opened = admin.send(form, "/console/accounts/new", **typed | {"organisation_name": "乐都区残联"})
    assert "账号已开通" in answer_of(opened)
    at = re.search(r"/console/accounts/[0-9a-f-]{36}", opened.request.path)
    assert at
    own = admin.send(admin.get(at[0]), f"{at[0]}/confirmation")
    assert (own.status_code, "请由另一位工作人员办理" in answer_of(own)) == (403, True)
    assert "账号已确认" in answer_of(city.send(city.get(at[0]), f"{at[0]}/confirmation"))
    invited = admin.send(admin.get(at[0]), f"{at[0]}/invitation")
    assert "/sign-in/invitation/" in invited.text
    assert "/sign-in/invitation/" not in admin.get(at[0]).text
    closed = city.send(city.get(at[0]), f"{at[0]}/closure", reason="调离")
    assert "账号已停用" in answer_of(closed)


def test_a_key_is_shown_once_works_and_ends(small_world: World, app: Flask) -> None:
    city = Desk(app, small_world, "city_officer")
    made = city.send(city.get("/console/me"), "/console/me/keys", days="30")
    key = re.search(r"sr_[0-9a-f]{8}_[\w-]+", made.text)
    assert key
    bearer = {"Authorization": f"Bearer {key[0]}"}
    assert app.test_client().get("/api/v1/me", headers=bearer, base_url=TLS).status_code == 200
    page = city.get("/console/me")
    assert key[0] not in page.text
    prefix = key[0].split("_")[1]
    assert "密钥已停用" in answer_of(city.send(page, f"/console/me/keys/{prefix}/revocation"))
    assert app.test_client().get("/api/v1/me", headers=bearer, base_url=TLS).status_code == 401
    wrong = city.send(city.get("/console/me"), "/console/me/keys", days="9999")
    assert (wrong.status_code, 'id="issue-days-wrong"' in wrong.text) == (422, True)


def test_the_county_reads_the_name_on_record_and_the_base_never_does(small_world: World, app: Flask) -> None:
    small_world.enrol(small_world.open_class(), 1)
    second = small_world.open_class(title="第二期")
    clerk, here = Desk(app, small_world, "base_clerk"), f"/console/classes/{second.id}"
    roster = workbook([["姓名", "公民身份号码"], ["李小东", PEOPLE[0][1]]])
    report = clerk.send(clerk.get(here), f"{here}/uploads", form="roster", file=roster)
    clerk.send(report, f"/console/uploads/{Upload.get().id}/confirmation")
    assert PEOPLE[0][0] in Desk(app, small_world, "county_officer").get(here).text
    for path in (here, f"{here}/trainees", f"/console/uploads/{Upload.get().id}"):
        assert PEOPLE[0][0] not in clerk.get(path).text


def test_a_trainee_is_corrected_and_leaves_with_a_reason(small_world: World, app: Flask) -> None:
    enrolment = small_world.enrol(small_world.open_class(), 1)[0]
    clerk, at = Desk(app, small_world, "base_clerk"), f"/console/enrolments/{enrolment.id}"
    page = clerk.get(at)
    assert PEOPLE[0][1] not in page.text
    assert "姓名已更正" in answer_of(clerk.send(page, f"{at}/correction", name="李晓冬"))
    assert clerk.send(page, f"{at}/withdrawal", reason="").status_code == 422
    assert "已办理退班" in answer_of(clerk.send(page, f"{at}/withdrawal", reason="搬家"))
    assert "已恢复在班" in answer_of(clerk.send(clerk.get(at), f"{at}/rejoining", reason="又来了"))


def test_the_language_stays_while_one_walks_around(small_world: World, app: Flask) -> None:
    small_world.filed_class()
    county = Desk(app, small_world, "county_officer")
    page = county.get("/console", lang="en")
    assert '<html lang="en">' in page.text
    links = set(re.findall(r'href="(/console[^"]*)"', page.text))
    assert links
    assert {link for link in links if "lang=" not in link} == set()


def test_an_auditor_reads_the_audit_and_a_wrong_day_is_told(small_world: World, app: Flask) -> None:
    small_world.filed_class()
    auditor = Desk(app, small_world, "auditor")
    county, here = Desk(app, small_world, "county_officer"), f"/console/classes/{TrainingClass.get().id}"
    county.send(county.get(here), f"{here}/opening")
    told = auditor.get("/console/audit", noun="training_class").text
    assert "县（区）残联工作人员" in told
    assert "127.0.0.1" in told
    wrong = auditor.get("/console/audit", since="yesterday")
    assert (wrong.status_code, 'id="since-wrong"' in wrong.text) == (422, True)


def test_who_has_nothing_to_do_reads_what_to_do(small_world: World, app: Flask) -> None:
    clerk = Desk(app, small_world, "base_clerk")
    assert "请先备案" in clerk.get("/console").text
    assert "还没有备案过培训班" in clerk.get("/console/classes").text
    assert small_world.now.date() == date(2025, 2, 10)


def test_whose_session_has_ended_signs_in_and_comes_back_to_a_page_that_can_be_opened(
    small_world: World, app: Flask
) -> None:
    made = small_world.filed_class()
    nobody = app.test_client()
    led = nobody.post(f"/console/classes/{made.id}/opening", base_url=TLS)
    assert led.headers["Location"] == "/sign-in?next=/console"
    led = nobody.get(f"/console/classes/{made.id}", base_url=TLS)
    assert led.headers["Location"] == f"/sign-in?next=/console/classes/{made.id}"


def test_a_browser_that_hides_its_origin_is_believed_where_it_names_the_site(
    small_world: World, app: Flask
) -> None:
    made = small_world.filed_class()
    county, here = Desk(app, small_world, "county_officer"), f"/console/classes/{made.id}"
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', county.get(here).text)
    assert token
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        headers = {"Origin": "null", "Sec-Fetch-Site": site}
        sent = county.client.post(
            f"{here}/opening", base_url=TLS, data={"csrf_token": token[1]}, headers=headers
        )
        assert sent.status_code == status, site


def test_one_trainee_is_enrolled_by_a_form_checked_as_a_row_is_and_gives_consent(
    small_world: World, app: Flask
) -> None:
    made = small_world.open_class()
    clerk, at = Desk(app, small_world, "base_clerk"), f"/console/classes/{made.id}/trainees/new"
    name, number, _ = PEOPLE[0]
    wrong = clerk.send(clerk.get(at), at, name=name, citizen_id=f"{number[:-1]}0")
    assert (wrong.status_code, 'id="enrol-citizen_id-wrong"' in wrong.text) == (422, True)
    assert f'value="{name}"' in wrong.text
    page = clerk.send(wrong, at, name=name, citizen_id=number)
    assert "已登记学员" in answer_of(page)
    consent = re.search(r'action="(/console/enrolments/[^"]+/consents)"', page.text)
    assert consent
    given = clerk.send(page, consent[1], given_on="2025-02-10", means="thumbprint")
    assert "知情同意已登记" in answer_of(given)
    assert consent[1] not in given.text
    assert clerk.get(f"/console/classes/{made.id}/consent-forms.pdf").data.startswith(b"%PDF")


def test_the_file_of_a_class_is_read_for_a_reason(small_world: World, app: Flask) -> None:
    at = f"/console/classes/{small_world.issued()[0].training_class_id}/file"
    county = Desk(app, small_world, "county_officer")
    assert 'name="reason"' in county.get(at).text
    unsaid = county.get(at, reason=" ")
    assert (unsaid.status_code, 'id="reason-wrong"' in unsaid.text) == (422, True)
    assert "档案还不齐全" in county.get(at, reason="年度评估抽查").text
    with ZipFile(BytesIO(county.get(f"{at}.zip", reason="年度评估抽查").data)) as archive:
        assert archive.testzip() is None
    assert county.get(f"{at}.zip").status_code == 422

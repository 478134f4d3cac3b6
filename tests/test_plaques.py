"""The plaque of a listed base: recorded once, drawn for ever, and worth what its listing is worth today."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image

from api import limits, verify_offline
from certificates import document, token
from certificates.document import fonts
from certificates.verification import check
from skills_registry import bases
from skills_registry.bases import Base, Listing, Trade, standing
from skills_registry.certification import plaques
from skills_registry.certification.plaques import Plaque, RecordedPapers
from skills_registry.certification.printed import PrintedPlaque
from skills_registry.foundation.errors import NotAllowed, Undrawable
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import database, new_id
from skills_registry.foundation.wording import ForbiddenWording
from tests.world import World, application

YANGGUANG = PrintedPlaque(
    template="base_plaque/1",
    kind="base_plaque",
    number="630200-2025-000017-3",
    name="海东市乐都区阳光职业技能培训学校",
    base_kind="职业培训基地",
    plaque_number="HDPX-2025-001",
    scope="保健按摩师（三级/高级工及以下）、中式面点师（四级/中级工及以下）",
    valid_from=date(2025, 1, 1),
    issued_on=date(2025, 1, 6),
    expires_on=date(2027, 12, 31),
    issuer="海东市技能培训登记平台",
    registered_with="海东市职业技能培训登记平台",
)
URL = f"https://registry.example.cn/v/1{7**360 % 10**306:0306d}"


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


def listing_of(world: World, base: Base | None = None) -> Listing:
    found = bases.latest_listing(base or world.base)
    assert found is not None
    return found


def issued(world: World, by: str = "city_officer") -> Plaque:
    return plaques.issue(world.act(by), listing_of(world), world.service.signer(), fonts.uncovered)


def code_of(plaque: Plaque) -> str:
    return token.encode(plaque.statement, plaque.signature)


def scanned(world: World, plaque: Plaque) -> Any:
    act = world.act("auditor")
    return check(code_of(plaque), keys=world.service.key_ring(), registry=RecordedPapers(act), on=act.today)


def ask(client: FlaskClient, world: World, by: str, method: str, path: str, **body: Any) -> Any:
    headers = {"Authorization": f"Bearer {world.key(by)}"}
    return client.open(f"/api/v1/bases/{path}", method=method, headers=headers, json=body or None)


def suspend(world: World) -> None:
    act = world.act("city_officer")
    bases.suspend_listing(act, listing_of(world), "消防整改")
    standing.restrict(
        act, world.base, "suspended", starts_on=act.today, ends_on=None, cause="sanction", cause_id=new_id()
    )


# ---------------------------------------------------------------- on record


def test_a_plaque_is_recorded_once_and_asked_again_is_the_same(world: World) -> None:
    first = issued(world)
    assert issued(world, "second_city_officer") == first
    assert [step.action for step in steps_of(first.id)] == ["issue"]
    assert (first.base_name, first.base_kind, first.plaque_number) == (
        "乐都区晨曦职业培训学校",
        "职业培训基地",
        "HD-001",
    )
    assert (first.valid_from, first.issued_on, first.expires_on) == (
        date(2025, 1, 1),
        date(2025, 2, 10),
        date(2027, 12, 31),
    )


def test_a_plaque_and_a_certificate_never_share_a_number(world: World) -> None:
    plaque, certificate = issued(world), world.issued(people=1)[0]
    assert (plaque.serial, certificate.serial) == (1, 2)
    assert plaque.status_index != certificate.status_index


def test_only_a_city_officer_issues_a_plaque(world: World) -> None:
    for name in ("base_clerk", "county_officer", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            issued(world, name)
    assert not Plaque.select().exists()


def test_a_listing_that_nobody_confirmed_gets_no_plaque(world: World) -> None:
    listing = listing_of(world)
    Listing.update(status="entered").where(Listing.id == listing.id).execute()
    with pytest.raises(plaques.NoPlaqueForListing) as refusal:
        issued(world)
    assert "待复核" in refusal.value.sentence()


@pytest.mark.parametrize(("day", "why"), [((2028, 1, 1), "挂牌期满"), ((2024, 12, 31), "已批准，挂牌期未到")])
def test_a_listing_over_or_not_begun_gets_no_plaque(
    small_world: World, day: tuple[int, int, int], why: str
) -> None:
    small_world.on(*day)
    with pytest.raises(plaques.NoPlaqueForListing) as refusal:
        issued(small_world)
    assert why in refusal.value.sentence()


def test_a_suspended_or_ended_listing_gets_no_plaque(world: World) -> None:
    suspend(world)
    with pytest.raises(plaques.NoPlaqueForListing) as refusal:
        issued(world)
    assert "暂停挂牌" in refusal.value.sentence()
    bases.end_listing(world.act("city_officer"), listing_of(world), date(2025, 2, 10), "自愿退出")
    with pytest.raises(plaques.NoPlaqueForListing):
        issued(world)


def test_a_base_name_that_the_policy_forbids_takes_no_number(world: World) -> None:
    Base.update(public_name="全国技能培训中心").where(Base.id == world.base.id).execute()
    with pytest.raises(ForbiddenWording):
        issued(world)
    Base.update(public_name="王\U0003ffff学校").where(Base.id == world.base.id).execute()
    with pytest.raises(Undrawable) as refusal:
        issued(world)
    assert "U+3FFFF" in refusal.value.sentence()
    Base.update(public_name="乐都区晨曦职业培训学校").where(Base.id == world.base.id).execute()
    assert issued(world).serial == 1


def test_a_lost_plaque_is_withdrawn_with_a_reason_and_another_one_issued(world: World) -> None:
    lost = issued(world)
    with pytest.raises(plaques.ReasonMissing):
        plaques.revoke(world.act("city_officer"), lost, "  ")
    plaques.revoke(world.act("city_officer"), lost, "搬迁时遗失")
    fresh = issued(world)
    assert fresh.number != lost.number
    assert (scanned(world, lost).code, scanned(world, fresh).code) == ("revoked", "valid")


def test_two_plaques_in_force_for_one_listing_are_refused_by_the_database(world: World) -> None:
    plaque = issued(world)
    columns = {name: getattr(plaque, name) for name in plaque._meta.sorted_field_names}
    unlike = {
        "id": new_id(),
        "statement_id": b"2" * 16,
        "number": "630200-2025-000002-0",
        "serial": 2,
        "status_index": 2,
        "statement": b"2" * 64,
    }
    with pytest.raises(plaques.IntegrityError), database.atomic():
        Plaque.create(**(columns | unlike))


def test_many_trades_are_cut_to_what_a_plaque_has_room_for_and_counted(small_world: World) -> None:
    scope = [Trade("2022", f"4-03-02-{n:02}", f"某某职业第{n}号工种", "level3_senior") for n in range(1, 31)]
    base = small_world.listed_base("乐都区百工职业培训学校", 9)
    listing = listing_of(small_world, base)
    for trade in scope:
        bases.ScopeEntry.create(listing=listing, **vars(trade))
    words = plaques.scope_in_words(listing)
    assert words.startswith("保健按摩师（五级/初级工）、某某职业第1号工种（三级/高级工及以下）、")
    assert words.endswith("等31个职业（工种）")
    assert len(words) <= plaques.SCOPE_ROOM + 20


# ---------------------------------------------------------------- scanned


def test_a_scanned_plaque_follows_its_listing_from_day_to_day(world: World) -> None:
    plaque = issued(world)
    assert scanned(world, plaque).code == "valid"
    world.on(2025, 3, 3)
    suspend(world)
    assert scanned(world, plaque).code == "suspended"
    world.on(2025, 5, 6)
    bases.end_listing(world.act("city_officer"), listing_of(world), date(2025, 5, 6), "自愿退出")
    verdict = scanned(world, plaque)
    assert (verdict.code, verdict.base_left_on) == ("revoked", date(2025, 5, 6))
    assert "基地退出名录" in verdict.sentence()


def test_a_delisting_that_is_overturned_makes_the_plaque_good_again(world: World) -> None:
    plaque = issued(world)
    bases.end_listing(world.act("city_officer"), listing_of(world), date(2025, 2, 10), "误判")
    assert scanned(world, plaque).code == "revoked"
    bases.restore_listing(world.act("city_officer"), listing_of(world), "申诉成立")
    assert scanned(world, plaque).code == "valid"


def test_after_its_last_day_a_plaque_is_expired(world: World) -> None:
    plaque = issued(world)
    assert scanned(world.on(2027, 12, 31), plaque).code == "valid"
    assert scanned(world.on(2028, 1, 1), plaque).code == "expired"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("base_name", "别的学校"),
        ("scope", "什么都教"),
        ("plaque_number", "HD-999"),
        ("expires_on", date(2030, 1, 1)),
        ("status", "revoked"),
        ("issuer", "别的单位"),
    ],
)
def test_a_plaque_changed_past_the_registry_is_found_by_the_next_scan(
    small_world: World, column: str, value: Any
) -> None:
    plaque = issued(small_world)
    Plaque.update(**{column: value}).where(Plaque.id == plaque.id).execute()
    assert scanned(small_world, plaque).code == "altered"


def test_a_listing_revived_past_the_registry_is_found_by_the_next_scan(world: World) -> None:
    plaque = issued(world)
    bases.end_listing(world.act("city_officer"), listing_of(world), date(2025, 2, 10), "骗取补贴")
    Listing.update(status="confirmed", left_on=None).where(Listing.id == plaque.listing_id).execute()
    verdict = scanned(world, plaque)
    assert (verdict.code, verdict.alarm) == ("altered", True)


def test_the_page_behind_the_code_tells_the_listing_and_asks_for_no_name(
    small_world: World, client: FlaskClient
) -> None:
    plaque = issued(small_world)
    page = client.get(f"/v/{code_of(plaque)}").get_data(as_text=True)
    for said in ("乐都区晨曦职业培训学校", "职业培训基地", "HD-001", "保健按摩师", "在册", "2027年12月31日"):
        assert said in page
    assert "name-check" not in page and "<form" not in page
    facts = client.get(f"/v/{code_of(plaque)}", headers={"Accept": "application/json"}).json["facts"]
    assert (facts["kind"], facts["standing"], facts["plaque_number"]) == ("base_plaque", "listed", "HD-001")
    assert (facts["valid_from"], facts["valid_until"]) == ("2025-01-01", "2027-12-31")
    english = client.get(f"/v/{code_of(plaque)}?lang=en").get_data(as_text=True)
    assert "What the plaque stands for" in english


def test_no_new_classes_stands_beside_a_valid_plaque(small_world: World, client: FlaskClient) -> None:
    plaque, act = issued(small_world), small_world.act("city_officer")
    standing.restrict(
        act,
        small_world.base,
        "no_new_classes",
        starts_on=act.today,
        ends_on=None,
        cause="x",
        cause_id=new_id(),
    )
    told = client.get(f"/v/{code_of(plaque)}", headers={"Accept": "application/json"}).json
    assert told["verdict"] == "valid"
    assert told["facts"]["standing"] == "listed_no_new_classes"


def test_a_typed_name_never_matches_a_plaque_and_its_number_leads_to_its_page(
    small_world: World, client: FlaskClient
) -> None:
    plaque = issued(small_world)
    answer = client.post(f"/v/{code_of(plaque)}/name-check", json={"name": plaque.base_name})
    assert answer.json == {"match": False}
    found = client.post("/verify", json={"number": plaque.number, "name": "某某"}).json
    assert found["facts"]["plaque_number"] == "HD-001"


def test_the_terminal_judges_a_plaque_as_the_page_does(small_world: World) -> None:
    plaque = issued(small_world)
    (one,) = verify_offline.verdicts(code_of(plaque), small_world.service, None, date(2025, 2, 10), "")
    assert one.verdict.code == "valid"
    assert "/bases/1" in verify_offline.told(one) and "课时" not in verify_offline.told(one)


# ---------------------------------------------------------------- through the API


def test_the_city_issues_and_the_base_downloads_its_plaque(small_world: World, client: FlaskClient) -> None:
    path = f"{small_world.base.id}/plaque"
    assert ask(client, small_world, "base_clerk", "GET", path).json["code"] == "no_plaque"
    first = ask(client, small_world, "city_officer", "POST", path)
    assert first.status_code == 201
    assert ask(client, small_world, "city_officer", "POST", path).json == first.json
    drawn = ask(client, small_world, "base_clerk", "GET", path)
    assert drawn.content_type == "application/pdf"
    assert drawn.headers["Content-Disposition"].endswith(f'"{first.json["number"]}.pdf"')
    assert ask(client, small_world, "base_clerk", "GET", path).data == drawn.data
    assert decoded(drawn.data, dpi=100) == [first.json["verify_url"]]


def test_a_withdrawn_plaque_is_no_longer_drawn(small_world: World, client: FlaskClient) -> None:
    issued(small_world)
    gone = ask(
        client, small_world, "city_officer", "POST", f"{small_world.base.id}/plaque/revocation", reason="印错"
    )
    assert gone.json["status"] == "revoked"
    assert ask(client, small_world, "city_officer", "GET", f"{small_world.base.id}/plaque").status_code == 404


def test_a_base_that_was_never_listed_has_no_plaque(small_world: World, client: FlaskClient) -> None:
    bare = Base.create(
        number=99,
        organisation=small_world.accounts["county_officer"].organisation,
        name="新学校",
        public_name="新学校",
        uscc="52630202DEM000990Y",
        kind="training",
        division_code="630202",
        created_at=small_world.now,
    )
    answer = ask(client, small_world, "city_officer", "POST", f"{bare.id}/plaque")
    assert (answer.status_code, answer.json["code"]) == (404, "no_listing")


def test_the_history_tells_every_step_in_order_and_page_by_page(
    small_world: World, client: FlaskClient
) -> None:
    issued(small_world)
    small_world.on(2025, 3, 3)
    suspend(small_world)
    whole = ask(client, small_world, "county_officer", "GET", f"{small_world.base.id}/history").json["items"]
    assert [(step["noun"], step["action"]) for step in whole] == [
        ("base", "register"),
        ("listing", "enter"),
        ("listing", "confirm"),
        ("plaque", "issue"),
        ("listing", "suspend"),
        ("base", "restrict_suspended"),
    ]
    assert whole[4]["reason"] == "消防整改" and whole[4]["to_text"] == "暂停挂牌"
    seen, after = [], ""
    while True:
        query = f"{small_world.base.id}/history?limit=2{after}"
        page = ask(client, small_world, "county_officer", "GET", query).json
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == whole


def test_a_base_does_not_learn_which_account_took_a_step(small_world: World, client: FlaskClient) -> None:
    issued(small_world)
    path = f"{small_world.base.id}/history"
    assert all(
        ask(client, small_world, "auditor", "GET", path).json["items"][n]["by_account"] for n in range(4)
    )
    assert not any(s["by_account"] for s in ask(client, small_world, "base_clerk", "GET", path).json["items"])


# ---------------------------------------------------------------- on paper


def decoded(pdf: bytes, *, dpi: int) -> list[str]:
    picture = pypdfium2.PdfDocument(pdf)[0].render(scale=dpi / 72).to_pil().convert("L")
    return [found.text for found in zxingcpp.read_barcodes(picture)]


def lines(pdf: bytes) -> list[str]:
    told = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return told.stdout.decode().replace("\f", "").split("\n")


def test_the_plaque_says_what_the_record_says() -> None:
    assert lines(document.draw(YANGGUANG, URL))[:-1] == [
        "海东市乐都区阳光职业技能培训学校",
        "职业培训基地",
        "LISTED BASE",
        "挂牌编号 HDPX-2025-001",
        "挂牌范围：保健按摩师（三级/高级工及以下）、中式面点师（四级/中级工及以下）",
        "挂牌期限：2025年1月1日至2027年12月31日",
        "扫码查看当前挂牌状态 Scan for the standing today",
        "registry.example.cn",
        "证书编号：630200-2025-000017-3",
        "登记于：海东市职业技能培训登记平台",
        "登记单位（盖章）",
        "海东市技能培训登记平台",
        "2025年1月6日",
    ]


def test_the_plaque_s_code_reads_from_a_coarse_raster_of_both_programs(tmp_path: Path) -> None:
    pdf = document.draw(YANGGUANG, URL)
    assert decoded(pdf, dpi=100) == [URL]
    command = ["pdftoppm", "-r", "100", "-gray", "-singlefile", "-", tmp_path / "page"]
    subprocess.run(command, input=pdf, check=True)
    assert [found.text for found in zxingcpp.read_barcodes(Image.open(tmp_path / "page.pgm"))] == [URL]


def test_the_plaque_is_tagged_named_and_the_same_bytes_every_time() -> None:
    pdf = document.draw(YANGGUANG, URL)
    assert document.draw(YANGGUANG, URL) == pdf == document.draw_whole(YANGGUANG, URL)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert str(opened.Root.Lang) == "zh-CN" and bool(opened.Root.MarkInfo.Marked)
        assert str(opened.docinfo["/Title"]) == "职业培训基地 630200-2025-000017-3"
        assert b"<pdfuaid:part>1</pdfuaid:part>" in opened.Root.Metadata.read_bytes()
        kinds = {str(thing.S) for thing in opened.objects if is_element(thing)}
        assert {"/Document", "/H1", "/P", "/Figure"} <= kinds
        texts = [str(thing.Alt) for thing in opened.objects if is_element(thing) and "/Alt" in thing]
    assert texts == ["验证二维码，网址：registry.example.cn"]
    qpdf = subprocess.run(["qpdf", "--check", "-"], input=pdf, capture_output=True, check=False)
    assert qpdf.returncode in (0, 2) and b"WARNING" not in qpdf.stderr


def is_element(thing: Any) -> bool:
    return isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/StructElem"


@pytest.mark.parametrize(
    "changed",
    [
        {"base_kind": "就业创业孵化基地", "name": "民和县河湟就业创业孵化园"},
        {"name": "某" * 120},
        {"scope": "很长的职业名称（四级/中级工及以下）、" * 8 + "等30个职业（工种）"},
        {"plaque_number": "海挂〔2025〕" + "第" * 33},
        {"issuer": "某某市职业技能培训登记与基地管理服务中心平台", "registered_with": "某" * 40},
        {"name": "加仓·晋美职业培训学校"},
    ],
)
def test_whatever_the_record_holds_stays_inside_the_frame_and_apart(changed: dict[str, Any]) -> None:
    pdf = document.draw(replace(YANGGUANG, **changed), URL)
    told = subprocess.run(["pdftotext", "-bbox-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    boxes = [
        tuple(float(part.split('"')[1]) for part in line.split() if "=" in part)
        for line in told.stdout.decode().splitlines()
        if line.strip().startswith("<line")
    ]
    assert boxes
    for left, top, right, bottom in boxes:
        assert left > 62 and right < 842 - 62 and top > 62 and bottom < 595 - 62, (left, top, right, bottom)
    inked = [box for box in boxes if box[3] - box[1] > 4]
    for one, other in ((a, b) for n, a in enumerate(inked) for b in inked[n + 1 :]):
        overlap_x = min(one[2], other[2]) - max(one[0], other[0])
        overlap_y = min(one[3], other[3]) - max(one[1], other[1])
        assert overlap_x <= 0 or overlap_y < 0.45 * min(one[3] - one[1], other[3] - other[1]), (one, other)
    assert decoded(pdf, dpi=100) == [URL]


def test_the_plaque_s_fixed_words_and_its_base_s_name_are_judged() -> None:
    words = ("全国", "残疾", "职业技能等级", "职业资格")
    document.refuse_forbidden_words(document.fixed_texts(YANGGUANG), words)
    for field in ("name", "scope", "plaque_number", "issuer", "base_kind"):
        texts = document.fixed_texts(replace(YANGGUANG, **{field: "某全国某"}))  # type: ignore[arg-type]
        with pytest.raises(ForbiddenWording):
            document.refuse_forbidden_words(texts, words)

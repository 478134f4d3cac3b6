"""The award on paper and on a phone: it scans, it fits, it is accessible, and it outs nobody."""

from __future__ import annotations

import io
import itertools
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import ImageChops

from api import limits
from api.callers import act_of
from api.certificates import verify_url_for
from api.verify_offline import told, verdicts
from certificates import document, token, verification
from certificates.document import plate
from skills_registry.certification import certificates, issuing
from skills_registry.certification.certificates import Certificate
from skills_registry.certification.plaques import RecordedPapers
from skills_registry.certification.printed import PrintedAward
from skills_registry.competitions import results
from skills_registry.foundation.acts import PUBLIC
from skills_registry.foundation.policy import load_policy
from tests import competing
from tests.test_document import FORBIDDEN, url
from tests.world import World, application

MA = PrintedAward(
    template="competition_award/1",
    kind="competition_award",
    number="630200-2025-000017-3",
    name="马海英",
    organiser="海东市技能培训登记平台",
    competition="2025年海东市职业技能竞赛",
    subject="中式面点制作",
    prize="第一名",
    starts_on=date(2025, 3, 1),
    ends_on=date(2025, 3, 2),
    issued_on=date(2025, 3, 5),
    registered_with="海东市职业技能培训登记平台",
)

LONGEST = replace(MA, competition="长" * 120, subject="项" * 60, prize="奖" * 40, organiser="主" * 120)
ONE_DAY = replace(MA, ends_on=MA.starts_on)


def words_on(content: bytes, tmp_path: Path) -> str:
    path = tmp_path / "award.pdf"
    path.write_bytes(content)
    asked = ["pdftotext", "-layout", str(path), "-"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


def picture(content: bytes, dpi: int = 100):  # type: ignore[no-untyped-def]
    return pypdfium2.PdfDocument(content)[0].render(scale=dpi / 72).to_pil().convert("L")


def scanned(content: bytes) -> list[str]:
    found = zxingcpp.read_barcodes(picture(content), formats=zxingcpp.BarcodeFormat.QRCode)
    return [code.text for code in found]


def award_in(world: World) -> Certificate:
    return results.awards_of([competing.final(world)])[0]


# ---------------------------------------------------------------- on paper


@pytest.mark.parametrize("printed", [MA, LONGEST, ONE_DAY], ids=["usual", "longest", "one day"])
def test_the_code_on_the_paper_is_read_back_by_a_reader_of_its_own(printed: PrintedAward) -> None:
    assert scanned(document.draw(printed, url(3))) == [url(3)]


def test_the_paper_says_who_won_what_where_and_when(tmp_path: Path) -> None:
    words = "".join(words_on(document.draw(MA, url(1)), tmp_path).split())
    for expected in (
        "技能竞赛获奖证书", "马海英：", "于2025年3月1日至2025年3月2日在2025年海东市职业技能竞赛", "“中式面点制作”项目中荣获",
        "第一名", "特发此证", "海东市技能培训登记平台", "证书编号：630200-2025-000017-3", "2025年3月5日",
    ):  # fmt: skip
        assert expected in words
    one_day = "".join(words_on(document.draw(ONE_DAY, url(1)), tmp_path).split())
    assert "于2025年3月1日在" in one_day


def test_no_word_on_the_paper_outs_its_holder_or_is_above_its_station(tmp_path: Path) -> None:
    document.refuse_forbidden_words(document.fixed_texts(MA), FORBIDDEN)
    words = words_on(document.draw(MA, url(1)), tmp_path)
    for word in load_policy().rule("certificate_wording", date(2025, 3, 1))["forbidden"]:
        assert word not in words
    with pytest.raises(Exception, match="残疾"):
        document.refuse_forbidden_words(
            document.fixed_texts(replace(MA, competition="残疾人竞赛")), FORBIDDEN
        )


@pytest.mark.parametrize("printed", [MA, LONGEST, ONE_DAY], ids=["usual", "longest", "one day"])
def test_no_line_of_the_paper_lies_on_another_or_leaves_the_border(
    printed: PrintedAward, tmp_path: Path
) -> None:
    path = tmp_path / "award.pdf"
    path.write_bytes(document.draw(printed, url(1)))
    asked = ["pdftotext", "-bbox-layout", str(path), "-"]
    page = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    boxes = [
        tuple(float(line.split(f'{side}="')[1].split('"')[0]) for side in ("xMin", "yMin", "xMax", "yMax"))
        for line in page.splitlines()
        if line.strip().startswith("<line ")
    ]
    assert len(boxes) >= 10
    for left, top, right, bottom in boxes:
        assert 60 < left < right < 783 and 60 < top < bottom < 536
    for (a_left, a_top, a_right, a_bottom), (b_left, b_top, b_right, b_bottom) in itertools.combinations(
        boxes, 2
    ):
        across = min(a_right, b_right) - max(a_left, b_left)
        down = min(a_bottom, b_bottom) - max(a_top, b_top)
        # A font's box is taller than its letters: lines may share some air, never half a line.
        assert across <= 0 or down < 0.5 * min(a_bottom - a_top, b_bottom - b_top)


def test_awards_of_one_prize_share_a_plate_and_each_prints_as_it_would_alone() -> None:
    plate.forget()
    merit = [
        (replace(MA, prize="优胜奖", name=name, number=f"630200-2025-00001{n}-{n}"), url(n))
        for n, name in enumerate(("马海英", "李晓东", "东桂花"))
    ]
    drawn = list(document.draw_all(merit))
    assert plate._plate.cache_info().misses == 1
    assert drawn == [document.draw(*one) for one in merit]
    for content, (printed, address) in zip(drawn, merit, strict=True):
        difference = ImageChops.difference(picture(content), picture(document.draw_whole(printed, address)))
        assert difference.getextrema()[1] < 70


def test_all_awards_of_a_competition_are_bound_into_one_accessible_file(tmp_path: Path) -> None:
    bound = document.gather([(MA, url(1)), (replace(MA, prize="第二名", name="李晓东"), url(2))])
    path = tmp_path / "awards.pdf"
    path.write_bytes(bound)
    subprocess.run(["qpdf", "--check", str(path)], check=True, capture_output=True)
    with pikepdf.open(io.BytesIO(bound)) as pdf:
        assert len(pdf.pages) == 2
        assert str(pdf.Root.Lang) == "zh-CN"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert "获奖证书" in str(pdf.docinfo["/Title"])
        assert b"pdfuaid" in pdf.Root.Metadata.read_bytes()


def test_the_paper_is_a_drawing_of_the_record(small_world: World) -> None:
    award = award_in(small_world)
    printed = certificates.printed_of(small_world.service.vault, award)
    address = verify_url_for(small_world.service, award)
    first = document.draw(printed, address)
    assert scanned(first) == [address]
    assert document.draw(printed, address) == first


# ---------------------------------------------------------------- on a phone


def verdict_on(world: World, award: Certificate) -> verification.Verdict:
    code = token.encode(award.statement, award.signature)
    registry = RecordedPapers(act_of(world.service, PUBLIC))
    return verification.check(
        code, keys=world.service.key_ring(), registry=registry, on=world.act("auditor").today
    )


def test_a_scanned_award_is_valid_and_speaks_of_no_base(world: World) -> None:
    verdict = verdict_on(world, award_in(world))
    assert verdict.code == "valid"
    assert (verdict.base_listed_at_start, verdict.base_left_on) == (None, None)
    assert verdict.base_sentence("zh") == ""
    assert "获奖证书" in verdict.sentence("zh")


def test_an_award_whose_prize_was_changed_past_the_registry_raises_the_alarm(world: World) -> None:
    award = award_in(world)
    Certificate.update(prize="特等奖").where(Certificate.id == award.id).execute()
    assert verdict_on(world, Certificate.get_by_id(award.id)).code == "altered"


def test_revoked_suspended_and_replaced_awards_say_so(world: World) -> None:
    first, second, third = results.awards_of([competing.final(world)])
    act, arguments = world.act("city_officer"), (world.service.signer(), lambda _: "")
    issuing.revoke(act, first, "冒名顶替")
    issuing.suspend(act, second, "核查")
    results.reissue(act, third, *arguments, reason="补发")
    codes = [verdict_on(world, Certificate.get_by_id(c.id)).code for c in (first, second, third)]
    assert codes == ["revoked", "suspended", "superseded"]


def test_offline_an_award_is_genuine_of_unknown_status(small_world: World, tmp_path: Path) -> None:
    award = award_in(small_world)
    keys = tmp_path / "keys.json"
    keys.write_text(small_world.service.key_ring().dump(), encoding="utf-8")
    code = token.encode(award.statement, award.signature)
    [one] = verdicts(code, None, keys, date(2025, 3, 5), "")
    assert one.verdict.code == "authentic"
    assert "竞赛获奖证书" in told(one)


@pytest.fixture
def client(small_world: World):  # type: ignore[no-untyped-def]
    app = application(small_world)
    limits.limiter.enabled = False
    with app.test_client() as made:
        yield made
    limits.limiter.enabled = True


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_behind_the_code_tells_the_award_and_nothing_about_the_holder(
    client: FlaskClient, small_world: World, language: str
) -> None:
    award = award_in(small_world)
    code = token.encode(award.statement, award.signature)
    shown = client.get(f"/v/{code}?lang={language}", headers={"Accept": "text/html"}).get_data(as_text=True)
    for expected in ("2025年海东市职业技能竞赛", "中式面点制作", "第一名", "海东市技能培训登记平台"):
        assert expected in shown
    for secret in ("李晓东", "残疾", "第1代表队", "培训基地", "Training base", "None"):
        assert secret not in shown
    facts = client.get(f"/v/{code}", headers={"Accept": "application/json"}).get_json()["facts"]
    assert (facts["prize"], facts["competition"]) == ("第一名", "2025年海东市职业技能竞赛")
    answer = client.post(f"/v/{code}/name-check", json={"name": "李晓东"})
    assert answer.get_json() == {"match": True}

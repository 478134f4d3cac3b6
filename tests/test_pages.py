"""The public pages as templates: what they say, and what they must never say or hold."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from certificates.verdicts import FINDINGS, NOT_REACHED_WORDS, STEPS, VERDICTS, VerdictCode
from tests.sources import ROOT

TEMPLATES = ROOT / "templates"
STYLE = (TEMPLATES / "static" / "style.css").read_text(encoding="utf-8")
LANGUAGES = ("zh", "en")
VERDICT_CODES = get_args(VerdictCode)

#: Elements and attributes that the content policy would block, or that need a script.
BLOCKED_ELEMENTS = {"script", "style", "iframe", "object", "embed", "base"}
VOID = {"meta", "link", "input", "img", "br", "hr"}
SHAPES = {"circle", "path"}

jinja = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SHAPES, f"<{tag}/> closes itself, which HTML does not know"
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, within: str | None = None) -> str:
        return " ".join(text.strip() for tag, text in self.texts if text.strip() and within in (None, tag))


def drawn(template: str, lang: str = "zh", **context: Any) -> Page:
    other = "/verify?lang=en" if lang == "zh" else "/verify?lang=zh"
    text = jinja.get_template(f"pages/{template}.html").render(lang=lang, other_language_url=other, **context)
    return Page(text)


def facts(**changes: Any) -> dict[str, Any]:
    """The public facts of a massage certificate of a base that was listed."""
    usual = {
        "number": "630200-2026-000001-3",
        "kind_text": "培训合格证书",
        "subject": "保健按摩师",
        "occupation": {"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师"},
        "level_text": "五级/初级工",
        "class_hours": 120,
        "base_name": "海东市乐都区阳光职业技能培训学校",
        "starts_on": "2026-03-02",
        "ends_on": "2026-04-10",
        "issued_on": "2026-04-20",
        "expires_on": None,
        "base_listed_at_start": True,
        "base_sentence": "开班时，培训基地在挂牌有效期内。",
        "masked_name": "马**",
        "superseded_by": None,
    }
    return usual | changes


def verdict(code: str = "valid", lang: str = "zh", **changes: Any) -> dict[str, Any]:
    """What the page is given for a verdict: its words, its steps and, where on record, the facts."""
    words = VERDICTS[code]  # type: ignore[index]
    on_record = code in ("valid", "revoked", "superseded", "suspended", "expired")
    steps = [
        {"number": n, "code": step, "outcome": "passed", "sentence": FINDINGS[step, "passed"][lang == "en"]}
        for n, step in enumerate(STEPS, start=1)
    ]
    if code != "valid":
        steps[-1] |= {"outcome": "not_reached", "sentence": NOT_REACHED_WORDS[lang == "en"]}
    usual = {
        "verdict": code,
        "heading": words.heading_en if lang == "en" else words.heading_zh,
        "sentence": words.en if lang == "en" else words.zh,
        "steps": steps,
        "facts": facts() if on_record else None,
    }
    return usual | changes


def verification(lang: str = "zh", *, match: bool | None = None, **changes: Any) -> Page:
    v = changes.pop("v", None) or verdict(lang=lang)
    context: dict[str, Any] = {
        "v": v,
        "name_check_url": f"/v/107/name-check?lang={lang}" if v["facts"] else None,
        "match": match,
        "contact": "请询问服务窗口。" if lang == "zh" else "Ask the service desk.",
    }
    return drawn("verification", lang, **(context | changes))


def every_page() -> Iterator[tuple[str, Page]]:
    for lang in LANGUAGES:
        for code in VERDICT_CODES:
            yield f"{code} {lang}", verification(lang, v=verdict(code, lang))
        for match in (True, False):
            yield f"match {match} {lang}", verification(lang, match=match)
        yield f"look-up {lang}", drawn("lookup", lang, outcome=None, problem=None, number="")
        yield f"no match {lang}", drawn("lookup", lang, outcome="no_match", problem=None, number="1")
        yield f"malformed {lang}", drawn("lookup", lang, outcome=None, problem="编号格式不对。", number="1")
        yield f"home {lang}", drawn("home", lang, city="海东市")
        yield f"problem {lang}", drawn("problem", lang, title="没有找到", detail="没有这个网页。", status=404)


PAGES = dict(every_page())
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


@each_page
def test_a_page_stands_without_script_inline_style_or_anything_from_elsewhere(page: Page) -> None:
    assert not BLOCKED_ELEMENTS & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
        for name in ("src", "href", "action"):
            address = attributes.get(name)
            assert address is None or re.match(r"/(?!/)", address), (tag, address)


@each_page
def test_a_page_has_one_heading_one_main_and_a_language(page: Page) -> None:
    assert (len(page.all("h1")), len(page.all("main")), len(page.all("title"))) == (1, 1, 1)
    assert page.all("html")[0]["lang"] in ("zh-CN", "en")
    assert page.open == []
    identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))


@each_page
def test_no_page_outs_a_holder(page: Page) -> None:
    assert "残" not in page.source
    assert "disab" not in page.source.lower()


@each_page
def test_every_field_has_its_label_and_remembers_nothing(page: Page) -> None:
    labels = {attributes["for"] for attributes in page.all("label")}
    for field in page.all("input"):
        assert field["id"] in labels
        assert field["autocomplete"] == "off"


@each_page
def test_every_page_leads_to_the_other_language(page: Page) -> None:
    own = page.all("html")[0]["lang"]
    link = next(a for a in page.all("a") if a.get("class") == "language")
    assert link["lang"] == link["hreflang"] == ("en" if own == "zh-CN" else "zh-CN")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("code", VERDICT_CODES)
def test_the_verdict_comes_first_in_title_and_heading(code: str, lang: str) -> None:
    heading = verdict(code, lang)["heading"]
    page = verification(lang, v=verdict(code, lang))
    assert page.text("title").startswith(f"{heading} — ")
    assert page.text("h1") == heading


def test_only_valid_is_drawn_as_good_and_a_verdict_unknown_to_the_page_as_a_question() -> None:
    check = 'd="M6.8 12.6'
    for code in VERDICT_CODES:
        card = verification(v=verdict(code)).source.split("<h1>")[0]
        assert (check in card) == (code == "valid"), code
    later = verification(v=verdict() | {"verdict": "of_a_later_day"}).source.split("<h1>")[0]
    assert check not in later
    good = re.findall(r"\.verdict-(\w+)(?: h1)? \{ background: var\(--good\)", STYLE)
    assert good == ["valid"]


def test_a_code_that_is_not_on_record_shows_no_facts_and_asks_for_no_name() -> None:
    for code in ("forged", "unreadable", "not_on_record", "altered"):
        page = verification(v=verdict(code))
        assert not page.all("dl")
        assert not page.all("form")
        assert "/verify?lang=zh" in [a["href"] for a in page.all("a")]


def test_the_answer_to_a_name_stands_in_the_status_region_and_in_the_title() -> None:
    yes, no, not_asked = verification(match=True), verification(match=False), verification()
    assert yes.text("title").startswith("姓名一致 — 有效")
    assert no.text("title").startswith("姓名不一致 — 有效")
    assert not_asked.text("title").startswith("有效")
    for page, answer in ((yes, "姓名一致"), (no, "姓名不一致")):
        region = page.source.split('role="status">')[1].split("</div>")[0]
        assert f"<strong>{answer}</strong>" in region
    assert not yes.all("form")
    assert no.all("form")[0] == {
        "method": "post",
        "action": "/v/107/name-check?lang=zh",
        "autocomplete": "off",
    }


def test_a_matching_name_is_no_praise_for_a_revoked_certificate() -> None:
    page = verification(match=True, v=verdict("revoked"))
    assert page.text("title").startswith("姓名一致 — 已撤销")
    assert page.source.index("已撤销。") < page.source.index("<strong>姓名一致")
    assert re.findall(r"(\S+) \.answer-match \{ color: var\(--good-text\)", STYLE) == [".name-check"]
    assert ".verdict-valid + .name-check .answer-match { color: var(--good-text) }" in STYLE


def test_a_base_that_was_not_listed_is_marked_beside_a_valid_verdict() -> None:
    unlisted = facts(base_listed_at_start=False, base_sentence="登记册中没有该基地开班时的挂牌记录。")
    page = verification(v=verdict(facts=unlisted))
    assert page.text("h1") == "有效"
    assert [dd for dd in page.all("dd") if dd.get("class") == "caution"]
    assert "登记册中没有该基地开班时的挂牌记录。" in page.text()


def test_a_superseded_certificate_names_the_new_one_first() -> None:
    page = verification(v=verdict("superseded", facts=facts(superseded_by="630200-2026-000207-5")))
    assert page.source.index("630200-2026-000207-5") < page.source.index("630200-2026-000001-3")


def test_a_course_without_occupation_or_level_shows_neither() -> None:
    course = facts(subject="设施农业实用技术", occupation=None, level_text="")
    page = verification(v=verdict(facts=course))
    assert "设施农业实用技术" in page.text("dd")
    assert not {"培训等级", "职业编码"} & set(page.text("dt").split())


def test_chinese_terms_on_the_english_page_say_that_they_are_chinese() -> None:
    page = verification("en")
    chinese = {text for tag, text in page.texts if tag == "span" and not text.isascii()}
    assert chinese >= {"马**", "保健按摩师", "海东市乐都区阳光职业技能培训学校"}
    spans = [span for span in page.all("span") if span.get("lang") == "zh-CN"]
    assert len(spans) == 5  # holder, kind, subject, level and base


def test_days_are_written_as_people_write_them() -> None:
    assert "2026年4月20日" in verification("zh").text("time")
    assert "20 April 2026" in verification("en").text("time")
    assert "不设有效期" in verification().text("dd")
    two_years = verification(v=verdict(facts=facts(expires_on="2028-04-19")))
    assert "2028年4月19日" in two_years.text("time")
    checked = verification(checked_on="2026-11-22")
    assert "查询日期：" in checked.text()
    assert "2026年11月22日" in checked.text("time")


def test_what_people_wrote_is_never_markup() -> None:
    spiteful = '"><script>alert(1)</script>'
    for page in (
        verification(v=verdict(facts=facts(base_name=spiteful, subject=spiteful))),
        drawn("lookup", outcome="no_match", problem=None, number=spiteful),
    ):
        assert not page.all("script")
        assert spiteful in page.text() or spiteful in [field.get("value") for field in page.all("input")]


def test_no_match_is_one_sentence_that_blames_neither_number_nor_name() -> None:
    for lang, ending in (("zh", "。"), ("en", ".")):
        page = drawn("lookup", lang, outcome="no_match", problem=None, number="630200-2026-000001-3")
        region = page.source.split('id="answer">')[1].split("</div>")[0]
        sentence = re.findall(r"<span>(.*?)</span>", region)[0]
        assert sentence.count(ending) == 1
        assert sentence.endswith(ending)


def test_the_look_up_refills_the_number_and_never_a_name() -> None:
    page = drawn("lookup", outcome="no_match", problem=None, number="630200-2026-000001-3")
    values = {field["name"]: field.get("value") for field in page.all("input")}
    assert values == {"number": "630200-2026-000001-3", "name": None}


def test_every_word_is_there_in_both_languages() -> None:
    words = jinja.get_template("pages/words.html").module.words  # type: ignore[attr-defined]
    outcomes = words["outcome"]
    assert set(outcomes) == {"passed", "failed", "not_reached", "unknown"}
    pairs = {key: pair for key, pair in words.items() if key != "outcome"} | outcomes
    for key, pair in pairs.items():
        assert list(pair) == ["zh", "en"], f"{key}: Chinese first, English second"
        assert pair["zh"] and pair["en"], key


def test_the_style_fetches_nothing_and_a_page_stays_light() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    heaviest = max(len(page.source.encode()) for page in PAGES.values())
    assert heaviest + len(STYLE.encode()) < 24 * 1024

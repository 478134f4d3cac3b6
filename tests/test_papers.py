"""Papers that are no certificates: accessible, drawn from what they are given alone; the sign-in sheet in large print."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import pikepdf
import pytest
from flask import g

from api.sessions import sheet_facts
from certificates import papers
from skills_registry.foundation.errors import Undrawable
from skills_registry.training.timetable import Session
from tests.accessible import elements, require_accessible
from tests.attending import attended_class
from tests.world import PEOPLE, World, application

NAMES = ["马海英", "赵𪚥", "བཀྲ་ཤིས་ཚེ་རིང", "阿卜杜勒·阿齐兹", *(f"学员{place}" for place in range(26))]
SHEET: dict[str, Any] = {
    "title": "2025年保健按摩师五级班",
    "filing_no": "202500001",
    "place_in_timetable": 3,
    "on": date(2025, 3, 5),
    "starts_at": "08:30",
    "ends_at": "12:00",
    "class_hours": "4",
    "content": "推拿手法：揉、捏、推、拿",
    "place": "主校区 301室",
    "teacher": "祁玉兰",
    "trainees": NAMES,
}
TITLE = "签到表 202500001 第3次课"


@pytest.fixture(scope="module")
def sheet() -> bytes:
    return papers.draw("sign_in_sheet", SHEET)


def words(content: bytes) -> str:
    """What a reader extracts, without blanks and line ends."""
    told = subprocess.run(["pdftotext", "-", "-"], input=content, capture_output=True, check=True)
    return re.sub(r"\s", "", told.stdout.decode())


def test_a_paper_is_accessible(sheet: bytes) -> None:
    require_accessible(sheet, TITLE)


def test_qpdf_finds_no_fault(sheet: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    path.write_bytes(sheet)
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "WARNING" not in checked.stdout + checked.stderr


def test_the_same_words_give_the_same_bytes(sheet: bytes) -> None:
    assert papers.draw("sign_in_sheet", SHEET) == sheet


def test_every_page_of_a_table_has_its_heads_and_every_row_its_own(sheet: bytes) -> None:
    with pikepdf.open(io.BytesIO(sheet)) as pdf:
        found = list(elements(pdf))
        tables = [element for element in found if str(element.S) == "/Table"]
        assert len(tables) == len(pdf.pages) == 3
        heads = [str(element.A.Scope) for element in found if str(element.S) == "/TH"]
        assert heads.count("/Column") == 5 * len(pdf.pages)
        assert heads.count("/Row") == len(NAMES)


def test_english_words_bear_their_language(sheet: bytes) -> None:
    with pikepdf.open(io.BytesIO(sheet)) as pdf:
        foreign = [element for element in elements(pdf) if str(element.get("/Lang", "")) == "en"]
        assert len(foreign) == 1
        assert str(foreign[0].P.S) == "/P"


def test_the_number_of_the_page_is_decoration_and_no_content(sheet: bytes) -> None:
    assert "第1页，共3页" in words(sheet)
    told = subprocess.run(["pdfinfo", "-struct-text", "-"], input=sheet, capture_output=True, check=True)
    assert "共 3 页" not in told.stdout.decode()
    assert "签到表：2025年保健按摩师五级班" in told.stdout.decode()


def test_the_sign_in_sheet_is_set_in_large_print(sheet: bytes) -> None:
    """At least 16 points for all that is to be read; the numbers of pages are 12."""
    with pikepdf.open(io.BytesIO(sheet)) as pdf:
        for page in pdf.pages:
            left, bottom, right, top = (float(edge) for edge in page.obj.MediaBox)
            assert (round(right), round(top), left, bottom) == (842, 595, 0, 0)
            for size, decoration in sizes(page):
                assert round(size, 2) >= (12 if decoration else 16)


def sizes(page: pikepdf.Page) -> list[tuple[float, bool]]:
    """The type sizes on a page in points, each with whether it is decoration."""
    found, opened = [], []
    for operands, operator in pikepdf.parse_content_stream(page):
        if str(operator) in ("BDC", "BMC"):
            opened.append(str(operands[0]) == "/Artifact")
        elif str(operator) == "EMC":
            opened.pop()
        elif str(operator) == "Tf":
            found.append((float(operands[1]) * 0.75, any(opened)))  # the page is drawn in CSS pixels
    assert found
    return found


def test_a_character_that_no_font_covers_is_named_and_never_drawn_as_a_box() -> None:
    with pytest.raises(Undrawable) as refusal:
        papers.draw("sign_in_sheet", SHEET | {"teacher": "祁\ue123兰"})
    assert refusal.value.facts == {"where": "文件", "characters": "U+E123"}


def test_a_fact_that_is_missing_is_an_error_and_no_gap() -> None:
    with pytest.raises(jinja2.UndefinedError):
        papers.draw("sign_in_sheet", {name: fact for name, fact in SHEET.items() if name != "trainees"})


HOSTILE = '<img src="file:///etc/passwd" alt="x"><style>@import "https://evil.example/x.css";</style>'


def test_words_stay_words_whatever_they_look_like() -> None:
    content = papers.draw("sign_in_sheet", SHEET | {"title": HOSTILE, "trainees": ['</td><td>"']})
    require_accessible(content, TITLE)
    assert re.sub(r"\s", "", HOSTILE) in words(content)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert not [element for element in elements(pdf) if str(element.S) == "/Figure"]


def test_a_paper_draws_on_nothing_but_the_pictures_that_it_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (
        '{% extends "paper.html" %}{% block title %}图{% endblock %}'
        '{% block body %}<h1>图</h1><p><img src="{{ address }}" alt="一个点" style="width: 20mm"></p>{% endblock %}'
    )
    own = jinja2.DictLoader({"picture.html": page})
    monkeypatch.setattr(papers._PAPERS, "loader", jinja2.ChoiceLoader([own, papers._PAPERS.loader]))
    dot = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="3"/></svg>'
    drawn = papers.draw("picture", {"address": "certificate:dot.svg"}, pictures={"dot.svg": dot})
    require_accessible(drawn, "图")
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        (figure,) = [element for element in elements(pdf) if str(element.S) == "/Figure"]
        assert str(figure.Alt) == "一个点"
    outside = tmp_path / "dot.svg"
    outside.write_bytes(dot)
    for address in (outside.as_uri(), "http://127.0.0.1:1/x.png", "certificate:other.svg"):
        # The picture is left out and its text stands in its place; nothing was read.
        assert "一个点" in words(papers.draw("picture", {"address": address}))


def test_the_sign_in_sheet_of_a_session_names_who_is_to_sign_and_no_number_of_theirs(
    small_world: World,
) -> None:
    _, sessions, _ = attended_class(small_world, people=4)
    facts = facts_of(small_world, sessions[2].id)
    content = papers.draw("sign_in_sheet", facts)
    require_accessible(content, f"签到表 {facts['filing_no']} 第3次课")
    told = words(content)
    for name, citizen_id, _ in PEOPLE[:4]:
        assert name in told
        assert citizen_id not in told and citizen_id[6:14] not in told
    assert "残疾" not in told
    for expected in ("2025年3月5日（星期三）08:30—12:00，4课时", "地点：主校区", "教师：祁玉兰", "应到4人"):
        assert expected in told


def facts_of(world: World, session_id: Any) -> dict[str, Any]:
    """What the API puts on the sheet of a session."""
    app = application(world)
    with app.test_request_context():
        g.act = world.act("base_clerk")
        return sheet_facts(Session.get_by_id(session_id))

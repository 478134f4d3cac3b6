"""Forty payloads in every text that reaches paper, page or sheet: shown as they were typed, and nothing else.

Nothing is fetched (a listening socket sees nobody), no file is read (a planted secret stays out), nothing is
attached, and the PDF holds no script and no action. What no font can draw is refused by its code.
"""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from socket import create_connection, create_server, socket
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.class_archive import STATES
from api.person_papers import Section
from certificates import document, papers
from skills_registry import notices
from skills_registry.bases import Base
from skills_registry.certification.printed import Paper
from skills_registry.foundation.errors import Undrawable
from skills_registry.spreadsheets import read, refused_workbook
from tests.made_sheets import WOMAN, part
from tests.test_awards import MA as AWARD
from tests.test_document import MA, url
from tests.test_papers import SHEET
from tests.test_plaques import YANGGUANG
from tests.world import World

SECRET = "planted-secret-7f3a"

#: ``@`` stands for an address that listens, ``~`` for a file that holds the secret.
PAYLOADS = (
    '<img src="@/1">',
    '<img src="~">',
    '<script src="@/2"></script>',
    "<script>fetch('@/3')</script>",
    "<svg onload=fetch('@/4')>",
    '<svg><image href="@/5"/></svg>',
    '<svg><use xlink:href="~"/></svg>',
    '<object data="~" type="text/html">',
    '<embed src="@/6">',
    '<iframe src="~"></iframe>',
    '<link rel="stylesheet" href="@/7">',
    '<link rel="attachment" href="~">',
    '<a rel="attachment" href="~">x</a>',
    '<a href="javascript:alert(1)">x</a>',
    '<style>@import "@/8";</style>',
    "<style>*{background:url(@/9)}</style>",
    '<p style="background:url(~)">x</p>',
    "</style><style>body{display:none}",
    '"><b>x</b>',
    "' onmouseover='alert(1)",
    "</td></tr></table><h1>x</h1>",
    "<!-- x",
    "--><h1>x</h1>",
    "<![CDATA[<b>x</b>]]>",
    '<meta http-equiv="refresh" content="0;url=@/10">',
    '<base href="@/11/">',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "~">]><a>&x;</a>',
    "<?xml-stylesheet href='@/12'?>",
    "<annotation><a href='@/13'/></annotation>",
    "{{ 7 * 191 }}",
    "{% include '~' %}",
    "{{ ''.__class__.__mro__ }}",
    "{# x #}${7*191}#{7*191}",
    "=HYPERLINK('@/14','x')",
    "=cmd|' /C calc'!A0",
    "+SUM(1:9)*7",
    "@import url(@/15);",
    "(x) Tj ET /JS (app.alert(1)) endstream",
    "&lt;b&gt;&amp;&#x3c;",
    "\\u003cb\\u003e\\3C b",
)

#: Characters that turn or hide others: drawn nowhere.
UNDRAWABLE = ("a\u202eb", "a\u2066b", "a\ue123b", "a\U000e0041b", "a\ufffeb")


@dataclass(frozen=True)
class Trap:
    """What payloads point at: a port at which somebody would be heard, a file whose content would be seen."""

    listening: socket
    file: Path

    @property
    def payloads(self) -> list[str]:
        address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        made = [text.replace("~", self.file.as_uri()).replace("@/", f"{address}/") for text in PAYLOADS]
        assert len(set(made)) == 40
        return made

    def heard(self) -> bool:
        """Whether anybody has knocked."""
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    file = tmp_path / "s"
    file.write_text(SECRET)
    with create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        yield Trap(listening, file)


def packed(text: str) -> str:
    return re.sub(r"\s", "", text)


def shown(pdf: bytes) -> str:
    """The text that a reader takes out, in reading order, without blanks."""
    told = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return packed(told.stdout.decode())


#: What a PDF would act, run, fetch or carry by.
ACTIVE = (
    "/A",
    "/AA",
    "/OpenAction",
    "/JS",
    "/JavaScript",
    "/EF",
    "/EmbeddedFiles",
    "/AF",
    "/URI",
    "/Launch",
    "/XFA",
)


def inner(thing: Any, depth: int = 0) -> Iterator[str]:
    """Every name that stands in an object, as key or as value."""
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for key, value in thing.items():
            if key == "/A" and "/O" in (value if isinstance(value, pikepdf.Dictionary) else {}):
                continue  # an attribute of a table's head (PDF/UA), no action
            yield key
            yield from inner(value, depth + 1) if depth < 6 else ()
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            yield from inner(value, depth + 1) if depth < 6 else ()
    elif isinstance(thing, pikepdf.Name):
        yield str(thing)


def require_inert(pdf: bytes, trap: Trap) -> None:
    """Nothing was fetched or read, nothing is attached, nothing would run."""
    assert not trap.heard()
    assert SECRET not in shown(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert not opened.attachments
        for thing in opened.objects:
            found = set(inner(thing)) & set(ACTIVE)
            assert not found, found
            if isinstance(thing, pikepdf.Stream):
                assert SECRET.encode() not in thing.read_bytes()


# ---------------------------------------------------------------- paper

#: Texts that choose a template, stand in a code or come from a fixed list: no words of anybody's.
NOT_WORDS = {"template", "kind", "number", "base_kind"}


def filled(paper: Paper, words: Callable[[int], str]) -> tuple[Paper, list[str]]:
    """The paper with other words in every text, and these words."""
    names = [
        f.name for f in fields(paper) if isinstance(getattr(paper, f.name), str) and f.name not in NOT_WORDS
    ]
    typed = [words(place) for place in range(len(names))]
    return replace(paper, **dict(zip(names, typed, strict=True))), typed


def sections(words: Callable[[int], str]) -> dict[str, Any]:
    texts = [words(place) for place in range(12)]
    part_of = Section(texts[0], "Part", tuple(texts[1:4]), [tuple(texts[4:7])], "", texts[7])
    return {
        "made_on": date(2025, 3, 3),
        "city": SimpleCity(texts[8]),
        "person": [(texts[9], texts[10])],
        "whole": True,
        "sections": [part_of, Section("空", "Empty", ("甲",), [], texts[11])],
    }


@dataclass(frozen=True)
class SimpleCity:
    """The city's words at the foot of a person's file."""

    registered_with: str


def paper_contexts(payloads: list[str], turn: int) -> dict[str, tuple[dict[str, Any], list[str]]]:
    """Each paper's facts with payloads for words, and which ones must be found on it."""

    def words(place: int) -> str:
        return payloads[(turn + place) % len(payloads)]

    sheet = {
        name: words(place) for place, name in enumerate(("title", "filing_no", "content", "place", "teacher"))
    }
    consent = {name: words(place) for place, name in enumerate(("title", "base", "version", "filing_no"))}
    index = {
        name: words(place) for place, name in enumerate(("title", "base", "status", "filing_no", "digest"))
    }
    person = sections(words)
    unheaded = [words(place) for place in range(12) if place != 1]  # a heading row names no column
    return {
        "sign_in_sheet": (SHEET | sheet | {"trainees": payloads}, [*sheet.values(), *payloads]),
        "consent_form": (
            consent | {"zh": [words(5)], "means": ["签名"], "trainees": [words(7), words(8)]},
            [*consent.values(), *(words(place) for place in (5, 7, 8))],
        ),
        "class_file": (
            index
            | {"starts_on": date(2025, 3, 3), "ends_on": date(2025, 4, 3), "recorded_until": date(2025, 4, 4)}
            | {"complete": False, "items": [], "states": STATES, "members": [], "lost": [words(5)]},
            [*list(index.values())[:4], words(5)],
        ),
        "person_file": (person, unheaded),
    }


def draw_everything(trap: Trap, turns: range) -> int:
    """Every paper with payloads in every text, as often as there are turns; how many texts were looked for."""
    payloads, looked_for = trap.payloads, 0
    for turn in turns:
        for paper in (MA, AWARD, YANGGUANG):
            record, typed = filled(paper, lambda place, turn=turn: payloads[(turn + place) % len(payloads)])
            pdf = document.draw(record, url(1))
            require_inert(pdf, trap)
            looked_for += require_literal(pdf, typed, record.kind)
        for name, (context, typed) in paper_contexts(payloads, turn).items():
            pdf = papers.draw(name, context)
            require_inert(pdf, trap)
            looked_for += require_literal(pdf, typed, name)
    return looked_for


def require_literal(pdf: bytes, typed: list[str], name: str) -> int:
    found = shown(pdf)
    missing = [text for text in typed if packed(text) not in found]
    assert not missing, (name, missing, found)
    return len(typed)


def test_a_sample_of_payloads_stands_on_every_paper_as_it_was_typed(trap: Trap) -> None:
    assert draw_everything(trap, range(0, 40, 20)) > 150


@pytest.mark.prove
def test_every_payload_stands_in_every_text_of_every_paper_as_it_was_typed(trap: Trap) -> None:
    assert draw_everything(trap, range(40)) > 2500


def test_an_apostrophe_is_drawn_wherever_it_stands() -> None:
    """It is escaped on the page, so the font was once cut without it."""
    assert "a'b" in shown(document.draw(replace(MA, base_name="a'b"), url(1)))
    facts = dict.fromkeys(("title", "filing_no", "content", "place"), "x")
    assert "a'b" in shown(papers.draw("sign_in_sheet", SHEET | facts | {"teacher": "a'b", "trainees": ["x"]}))


@pytest.mark.parametrize("text", UNDRAWABLE)
def test_what_turns_or_hides_other_characters_is_drawn_on_no_paper(text: str) -> None:
    for paper in (MA, AWARD, YANGGUANG):
        for field in ("name", "registered_with"):
            with pytest.raises(Undrawable):
                document.draw(replace(paper, **{field: text}), url(1))
    with pytest.raises(Undrawable):
        papers.draw("sign_in_sheet", SHEET | {"teacher": text})


def test_the_trap_hears_and_sees(trap: Trap) -> None:
    assert not trap.heard()
    create_connection(trap.listening.getsockname()).close()
    assert trap.heard()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        bad = io.BytesIO()
        pdf.save(bad)
    with pytest.raises(AssertionError, match="OpenAction"):
        require_inert(bad.getvalue(), trap)


# ---------------------------------------------------------------- pages and sheets


class Outline(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))

    def handle_data(self, data: str) -> None:
        self.text += data


def pages_with(client: FlaskClient, world: World, words: str) -> list[Outline]:
    """The public pages that show what people typed, with these words."""
    Base.update(name=words, public_name=words).where(Base.id == world.base.id).execute()
    notice = notices.Notice.get()
    notices.Notice.update(title=words, text=words).where(notices.Notice.id == notice.id).execute()
    found = []
    for path in (
        "/bases?trade=x",
        "/bases",
        f"/bases/{world.base.number}",
        "/notices",
        f"/notices/{notice.id}",
    ):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, path
        found.append(Outline(answer.text))
    return found


def test_a_page_has_the_same_elements_whatever_was_typed(small_world: World, trap: Trap) -> None:
    client = create_app(small_world.service.settings, clock=small_world.service.clock).test_client()
    notices.publish(
        small_world.act("city_officer"),
        subject="base",
        subject_id=small_world.base.id,
        title="公示",
        text="内容",
        working_days=5,
        division_code=small_world.base.division_code,
    )
    plain = pages_with(client, small_world, "普通的话")
    for payload in trap.payloads:
        for usual, page in zip(plain, pages_with(client, small_world, payload), strict=True):
            assert page.elements == usual.elements, payload
            assert page.text.count(payload) == usual.text.count("普通的话"), payload
    assert any("普通的话" in page.text for page in plain)
    assert not trap.heard()


def test_no_payload_becomes_a_formula_or_a_link_in_a_sheet(trap: Trap) -> None:
    payloads = trap.payloads
    made = refused_workbook(
        ["姓名", "身份证号", "备注"], [(["李明", WOMAN, payload], [payload]) for payload in payloads]
    )
    sheet = part(made, "xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b"hyperlink" not in sheet
    assert [row.cells["remark"] for row in read(made).rows] == payloads

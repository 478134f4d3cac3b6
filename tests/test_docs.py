"""The documents are true: links lead somewhere, numbers agree with the code, words are used once."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from api import lifecycles
from skills_registry.certification import issuing
from tests.conftest import LiveServer

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_link_of_the_documents_leads_to_a_file() -> None:
    for document in DOCS:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_steps_of_issuing_are_numbered_alike_in_prose_and_in_code() -> None:
    prose = re.findall(
        r"^(\d)\. \*\*(\w+)\.", (ROOT / "docs" / "issuing.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    code = re.findall(r"^    (\d)\. (\w+) ", issuing.__doc__ or "", re.MULTILINE)
    assert [(number, word.lower()) for number, word in prose][: len(code)] == code
    assert len(code) == 7


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(page.name[:4]) for page in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_glossary_has_every_term_once_and_every_noun_of_the_lifecycles() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| ") and "`" in line]
    terms = [chinese.strip() for chinese, _ in rows]
    assert len(terms) == len(set(terms)) > 50
    identifiers = {name for _, cell in rows for name in re.findall(r"`(\w+)`", cell)}
    assert {lifecycle.noun for lifecycle in lifecycles.ALL} <= identifiers


def test_the_service_documents_what_it_answers(live_server: LiveServer) -> None:

    codes = requests.get(f"{live_server.url}/docs/problems", timeout=20).text
    for code in ("id_damaged_by_spreadsheet", "separation_of_duties", "results_missing", "upload_outdated"):
        assert f'id="{code}"' in codes

"""Particulars (学员情况): what a roster says beyond name and number, what a trainee needs, and what they got.

Education, residence, guardian, wishes and the accommodations needed (手语翻译、盲文、轮椅…) are kept as one
sealed text with the enrolment: no list shows them and nothing is looked up by them. Nothing here refuses a
row; what cannot be read warns and is left out or kept as written. Ethnicity is not kept: nothing needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.identifiers import COUNTIES, check_phone, fold_number, is_known_region
from skills_registry.foundation.identifiers.folding import fold_width
from skills_registry.foundation.lifecycle import note
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.storage import database
from skills_registry.spreadsheets import SheetRow
from skills_registry.training.classes import TrainingClass, require_with_base
from skills_registry.training.enrolments import ENROLMENT, Enrolment, sealed_particulars
from skills_registry.training.sheets import read_date, words_of

#: Fields that are kept as words, and how many characters of them.
WORDS: dict[str, int] = {"education": 30, "residence": 200, "guardian": 60, "wishes": 200}

#: Everything that particulars may hold.
FIELDS = (
    *WORDS,
    "residence_division",
    "guardian_phone",
    "accommodations",
    "other_accommodations",
    "card_issued_on",
)

_LONGEST_OTHER = 200
_CODE = re.compile(r"([0-9]{6})(?:[0-9]{3}|[0-9]{6})?")
_BETWEEN = re.compile(r"[、，,;；/|。\n]+|(?<=.)[和及](?=.)")
_NOT_NEEDED = re.compile(r"(?:不|无|没有|没|否|暂无|均无|/|-)(?:需要?|用|必)?.*|no|none|n/a", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+?86)?[0-9][0-9\- ]{6,}[0-9]")
_AROUND_NAME = " \t\n、，,;；:：/()（）-电话手机联系"


# ---------------------------------------------------------------- rules: reading a row


def read_particulars(
    row: SheetRow, kinds: Sequence[Mapping[str, Any]], class_starts_on: date
) -> tuple[dict[str, Any], list[Problem]]:
    """What a roster row says of its person, ready for JSON and without empty fields, and what is doubtful.

    ``kinds`` are the policy's accommodations (:func:`accommodation_kinds`).
    """
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for field, longest in WORDS.items():
        problems += _take_words(found, field, words_of(row.cells.get(field)), longest)
    problems += _read_guardian(row, found)
    problems += _read_residence(row, found)
    problems += _read_accommodations(row, found, kinds)
    problems += _read_card_day(row, found, class_starts_on)
    return {field: found[field] for field in FIELDS if found.get(field)}, problems


def _take_words(found: dict[str, Any], field: str, words: str, longest: int) -> Iterator[Problem]:
    found[field] = words[:longest]
    if len(words) > longest:
        yield Problem("words_shortened", field, {"limit": longest})


def _read_guardian(row: SheetRow, found: dict[str, Any]) -> Iterator[Problem]:
    """Name and phone of the guardian, from two columns or from one that has both."""
    phone = words_of(row.cells.get("guardian_phone"))
    both = words_of(row.cells.get("guardian_contact"))
    if both:
        number = _PHONE.search(fold_width(both))
        phone = phone or (number[0] if number else "")
        name = both.replace(both[number.start() : number.end()], "") if number else both
        found["guardian"] = found["guardian"] or name.strip(_AROUND_NAME)[: WORDS["guardian"]]
    if phone:
        checked = check_phone(phone)
        found["guardian_phone"] = checked.text
        yield from (Problem(problem.code, "guardian_phone") for problem in checked.problems)


def _read_residence(row: SheetRow, found: dict[str, Any]) -> Iterator[Problem]:
    """The division of residence as a code, by its number, its name, or the address."""
    stated = words_of(row.cells.get("residence_division"))
    address = found["residence"]
    code = division_of(stated) or (division_of(address) if not stated else "")
    if code:
        found["residence_division"] = code
    elif stated:
        yield Problem("division_unknown", "residence_division")
    is_more_than_code = stated and not _CODE.fullmatch(fold_number(stated).text)
    if is_more_than_code and stated not in address and (not code or not address):
        found["residence"] = f"{stated} {address}".strip()[: WORDS["residence"]]


def division_of(text: str) -> str:
    """The division code that a text gives or names (a county of this city), or an empty text."""
    number = _CODE.fullmatch(fold_number(text).text)
    if number:
        return number[1] if is_known_region(number[1]) else ""
    plain = re.sub(r"\s|^青海省?|海东市?", "", fold_width(text))
    for county in COUNTIES:
        short = county.name[:2]
        names = (county.name, f"{short}县", f"{short}区")
        if plain == short or any(name in plain for name in names):
            return county.code
    return ""


def _read_accommodations(
    row: SheetRow, found: dict[str, Any], kinds: Sequence[Mapping[str, Any]]
) -> Iterator[Problem]:
    """The accommodations that a cell asks for: codes of the policy, and the rest as written."""
    codes, rest = accommodations_in(words_of(row.cells.get("accommodations")), kinds)
    found["accommodations"] = codes
    found["other_accommodations"] = rest
    if rest:
        yield Problem("accommodation_unknown", "accommodations")


def accommodations_in(text: str, kinds: Sequence[Mapping[str, Any]]) -> tuple[list[str], str]:
    """Codes of the accommodations that a text asks for, and what no code covers; 无 and 不需要 ask for nothing."""
    codes: list[str] = []
    rest: list[str] = []
    for piece in filter(None, (part.strip() for part in _BETWEEN.split(text))):
        if any(piece in (kind["code"], kind["zh"], kind["en"]) for kind in kinds):
            named = [kind["code"] for kind in kinds if piece in (kind["code"], kind["zh"], kind["en"])]
        elif _NOT_NEEDED.fullmatch(piece) and not piece.startswith("无障碍"):
            continue
        else:
            named = [kind["code"] for kind in kinds if any(word in piece for word in kind["words"])]
        codes += [code for code in named if code not in codes]
        rest += [] if named else [piece]
    return codes, "、".join(rest)[:_LONGEST_OTHER]


def _read_card_day(row: SheetRow, found: dict[str, Any], class_starts_on: date) -> Iterator[Problem]:
    cell = row.cells.get("card_issued_on")
    if not words_of(cell):
        return
    day = read_date(cell)
    if day is None:
        yield Problem("date_not_kept", "card_issued_on")
        return
    found["card_issued_on"] = day.isoformat()
    if day > class_starts_on:
        yield Problem("card_issued_after_start", "card_issued_on", {"starts_on": class_starts_on.isoformat()})


def accommodation_kinds(policy: Policy, on: date) -> list[Mapping[str, Any]]:
    """The accommodations that the policy knows: ``code``, ``zh``, ``en``, and the ``words`` of a roster."""
    kinds: list[Mapping[str, Any]] = policy.rule("accommodations", on)["kinds"]
    return kinds


# ---------------------------------------------------------------- verbs


def complete(act: Act, enrolment: Enrolment, values: Mapping[str, Any]) -> list[str]:
    """Add to an enrolment what its particulars lack; what is there stays. Answers which fields were added."""
    kept = particulars_of(act.vault, enrolment)
    added = lacking(kept, values)
    if added:
        with database.atomic():
            _keep(act, enrolment, {**kept, **added})
            note(act, ENROLMENT.noun, enrolment.id, "add_particulars", detail={"fields": sorted(added)})
    return sorted(added)


def lacking(kept: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What a row would add to particulars."""
    return {field: value for field, value in values.items() if value and not kept.get(field)}


def correct(act: Act, enrolment: Enrolment, values: Mapping[str, Any], reason: str) -> Enrolment:
    """Replace some particulars, with a reason; an empty value takes one out. Old values stay nowhere in clear.

    :raises ClassClosed: a base's clerk, and the class is not with the base.
    :raises FieldRefused: a field is none of the particulars, or an accommodation is unknown.
    """
    _require_open_to(act, enrolment.training_class)
    for field in values:
        if field not in FIELDS:
            raise FieldRefused(field=field)
    _require_known(act, enrolment.training_class, values.get("accommodations") or [])
    changed = {**particulars_of(act.vault, enrolment), **values}
    with database.atomic():
        _keep(act, enrolment, {field: value for field, value in changed.items() if value})
        detail = {"fields": sorted(values)}
        note(act, ENROLMENT.noun, enrolment.id, "correct_particulars", reason=reason, detail=detail)
    return enrolment


def _keep(act: Act, enrolment: Enrolment, values: Mapping[str, Any]) -> None:
    enrolment.particulars = sealed_particulars(act.vault, enrolment.id, values)
    enrolment.save(only=[Enrolment.particulars])


def give_accommodation(
    act: Act, enrolment: Enrolment, *, code: str, given_on: date, remark: str = ""
) -> None:
    """Record that an accommodation was really provided: which, since which day, and how.

    :raises ClassClosed: a base's clerk, and the class is not with the base.
    :raises FieldRefused: the code is unknown, or the day is ahead.
    """
    training_class = enrolment.training_class
    _require_open_to(act, training_class)
    _require_known(act, training_class, [code])
    if given_on > act.today:
        raise FieldRefused(field="given_on")
    entry = {"code": code, "given_on": given_on.isoformat(), "remark": remark[: WORDS["wishes"]]}
    with database.atomic():
        given = accommodations_given(act.vault, Enrolment.get_by_id(enrolment.id))
        if entry not in given:
            text = json.dumps([*given, entry], ensure_ascii=False)
            content = act.vault.seal(Enrolment.accommodations_given, enrolment.id, text)
            enrolment.accommodations_given = content
            enrolment.save(only=[Enrolment.accommodations_given])
            # Which one it was tells of the disability: the step does not say.
            note(act, ENROLMENT.noun, enrolment.id, "give_accommodation")


def _require_open_to(act: Act, training_class: TrainingClass) -> None:
    # What officers judged a class by is not changed under their hands; they still correct it themselves.
    if act.by.role == "base_clerk":
        require_with_base(training_class)


def _require_known(act: Act, training_class: TrainingClass, codes: Sequence[str]) -> None:
    known = {kind["code"] for kind in accommodation_kinds(act.policy, training_class.starts_on)}
    if not set(codes) <= known:
        raise FieldRefused(field="accommodations")


# ---------------------------------------------------------------- queries


def particulars_of(vault: Vault, enrolment: Enrolment) -> dict[str, Any]:
    """The particulars of an enrolment in clear, without empty fields; callers account for the reading."""
    if enrolment.particulars is None:
        return {}
    kept: dict[str, Any] = json.loads(vault.open(Enrolment.particulars, enrolment.id, enrolment.particulars))
    return kept


def accommodations_given(vault: Vault, enrolment: Enrolment) -> list[dict[str, str]]:
    """What was provided to a trainee, in order: ``code``, ``given_on``, ``remark``."""
    if enrolment.accommodations_given is None:
        return []
    sealed_text = enrolment.accommodations_given
    given: list[dict[str, str]] = json.loads(
        vault.open(Enrolment.accommodations_given, enrolment.id, sealed_text)
    )
    return given


def accommodations_not_given(act: Act, training_class: TrainingClass) -> dict[str, int]:
    """Of the accommodations needed in a class those not yet provided: code → trainees; ``other`` for the rest."""
    waiting: dict[str, int] = {}
    enrolled = Enrolment.select().where(
        (Enrolment.training_class == training_class.id) & (Enrolment.status == "enrolled")
    )
    for enrolment in enrolled:
        needed = particulars_of(act.vault, enrolment)
        given = {entry["code"] for entry in accommodations_given(act.vault, enrolment)}
        open_codes = set(needed.get("accommodations", ())) - given
        if needed.get("other_accommodations") and not given:
            open_codes.add("other")
        for code in open_codes:
            waiting[code] = waiting.get(code, 0) + 1
    return waiting

"""Identifiers: what is accepted, what warns, what is refused, and that nothing is guessed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2, mod_11_10

from skills_registry.foundation.identifiers import (
    COUNTIES,
    HAIDONG,
    CertificateNumber,
    certificate_number,
    check_certificate_number,
    check_citizen_id,
    check_disability_card,
    check_phone,
    check_sex,
    check_uscc,
    clean_name,
    division_name,
    fold_number,
    is_known_region,
    masked_name,
    name_match_key,
    parse_certificate_number,
)
from skills_registry.foundation.identifiers.credit_codes import organisation_check_digit
from skills_registry.foundation.problems import CATALOGUE, VARIANTS, Problem

TODAY = date(2025, 3, 3)
WOMAN = "632121198310189981"
MAN = "63212619820816997" + mod_11_2.calc_check_digit("63212619820816997")

digits = st.sampled_from("0123456789")


@st.composite
def citizen_ids(draw: st.DrawFn) -> str:
    region = draw(st.sampled_from([division.code for division in HAIDONG] + ["110101", "810000", "830000"]))
    born = draw(st.dates(date(1930, 1, 1), TODAY))
    serial = draw(st.integers(995, 999))
    body = f"{region}{born:%Y%m%d}{serial}"
    return body + mod_11_2.calc_check_digit(body)


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def id_codes(raw: object) -> list[str]:
    return codes(check_citizen_id(raw, TODAY).problems)


# --- citizen IDs


@given(citizen_ids())
def test_every_valid_citizen_id_is_accepted_and_tells_birth_date_and_sex(number: str) -> None:
    checked = check_citizen_id(number, TODAY)
    assert checked.problems == ()
    assert checked.text == number
    assert f"{checked.birth_date:%Y%m%d}" == number[6:14]
    assert checked.sex == ("male" if int(number[16]) % 2 else "female")


@given(citizen_ids(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_no_single_wrong_character_passes(number: str, place: int, character: str) -> None:
    mutated = number[:place] + character + number[place + 1 :]
    assert check_citizen_id(mutated, TODAY).is_sound == (mutated == number)


@given(citizen_ids(), st.integers(0, 16))
def test_no_two_exchanged_neighbours_pass(number: str, place: int) -> None:
    exchanged = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert check_citizen_id(exchanged, TODAY).is_sound == (exchanged == number)


@given(
    citizen_ids(), st.sampled_from(["{}", " {}", "{}\t", "'{}", "\u200b{}\ufeff", '="{}"', "\u3000{}\u3000"])
)
def test_what_spreadsheets_and_input_methods_add_is_undone(number: str, pattern: str) -> None:
    assert check_citizen_id(pattern.format(number), TODAY).text == number


@given(citizen_ids())
def test_full_width_inner_blanks_small_x_and_cyrillic_x_are_folded(number: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    spaced = f"{number[:6]} {number[6:14]}\xa0{number[14:]}"
    for typed in (wide, spaced, number.lower(), number.replace("X", "Х"), number.replace("X", "х")):
        assert check_citizen_id(typed, TODAY).text == number
        assert check_citizen_id(typed, TODAY).is_sound


@given(st.text(max_size=30))
def test_folding_a_number_twice_is_folding_it_once(text: str) -> None:
    once = fold_number(text).text
    assert fold_number(once).text == once


@given(
    st.one_of(
        st.text(max_size=40), st.floats(), st.integers(), st.decimals(), st.booleans(), st.none(), st.dates()
    )
)
def test_whatever_a_cell_holds_is_answered_with_problems_and_never_with_an_exception(raw: object) -> None:
    assert all(
        problem.sentence("zh") and problem.sentence("en") for problem in check_citizen_id(raw, TODAY).problems
    )
    for checked in (
        check_disability_card(raw),
        check_uscc(raw),
        check_phone(raw),
        check_sex(raw),
        clean_name(raw),
    ):
        assert all(problem.sentence("zh") for problem in checked.problems)


@pytest.mark.parametrize(
    "raw", [6.32122198002030e17, "6.32122198002030E+17", "６.３２E+17", 1.2e15, Decimal("6.3e17")]
)
def test_a_number_that_a_spreadsheet_turned_into_a_figure_is_refused_as_damaged(raw: object) -> None:
    assert id_codes(raw) == ["id_damaged_by_spreadsheet"]


def test_zeros_in_place_of_the_last_three_digits_are_damage_unless_the_number_checks() -> None:
    assert id_codes(WOMAN[:15] + "000") == ["id_damaged_by_spreadsheet"]
    assert id_codes("110101199003071000"[:17] + mod_11_2.calc_check_digit("11010119900307100")) == []


def test_the_old_fifteen_digits_get_a_sentence_of_their_own_even_as_a_figure() -> None:
    for raw in ("632121831018998", 632121831018998.0, 632121831018998):
        (problem,) = check_citizen_id(raw, TODAY).problems
        assert problem.code == "id_length"
        assert problem.facts["length"] == 15
        assert "15位的旧号码" in problem.sentence()
    (short,) = check_citizen_id("6321218310189981", TODAY).problems
    assert "现为16位" in short.sentence()


def test_a_card_number_in_the_id_column_is_recognised() -> None:
    (problem,) = check_citizen_id(WOMAN + "43", TODAY).problems
    assert problem.code == "id_length"
    assert "残疾人证号" in problem.sentence()


@pytest.mark.parametrize("form", ["6321211983101899O1", "63212119831018998一"])
def test_a_letter_in_place_of_a_digit_is_a_wrong_form(form: str) -> None:
    assert id_codes(form) == ["id_format"]


@pytest.mark.parametrize("born", ["20010229", "19831301", "20250304", "18300101", "20991231"])
def test_an_impossible_or_future_birth_date_is_refused(born: str) -> None:
    body = f"632128{born}996"
    assert id_codes(body + mod_11_2.calc_check_digit(body)) == ["id_birth_date"]


@pytest.mark.parametrize("region", ["999998", "810000", "820000", "830000"])
def test_foreigners_and_residents_of_hong_kong_macao_and_taiwan_are_accepted(region: str) -> None:
    body = f"{region}19900307995"
    assert id_codes(body + mod_11_2.calc_check_digit(body)) == []


def test_a_region_that_was_not_in_force_at_birth_is_no_problem_and_an_unknown_one_only_warns() -> None:
    late = "63020219750601995"  # 乐都区 has this code since 2013: born earlier, registered late
    early = "63212120200601995"  # 平安县 had this code until 2013
    unknown = "00000119750601995"
    assert id_codes(late + mod_11_2.calc_check_digit(late)) == []
    assert id_codes(early + mod_11_2.calc_check_digit(early)) == []
    checked = check_citizen_id(unknown + mod_11_2.calc_check_digit(unknown), TODAY)
    assert codes(checked.problems) == ["id_region_unknown"]
    assert checked.is_sound


@given(citizen_ids(), st.dates(TODAY, date(2100, 1, 1)))
def test_an_age_changes_on_the_birthday_and_on_no_other_day(number: str, day: date) -> None:
    checked = check_citizen_id(number, TODAY)
    assert checked.birth_date is not None
    turned = checked.age_on(day) - checked.age_on(day - timedelta(days=1))
    leapling = (checked.birth_date.month, checked.birth_date.day) == (2, 29)
    birthday = (day.month, day.day) == (checked.birth_date.month, checked.birth_date.day)
    if not leapling:
        assert turned == birthday
    assert turned in (0, 1)


def test_whoever_was_born_on_29_february_turns_on_1_march() -> None:
    body = "63212120000229995"
    checked = check_citizen_id(body + mod_11_2.calc_check_digit(body), TODAY)
    assert checked.age_on(date(2018, 2, 28)) == 17
    assert checked.age_on(date(2018, 3, 1)) == 18


def test_an_unsound_number_tells_neither_age_nor_sex() -> None:
    checked = check_citizen_id("632121", TODAY)
    assert checked.sex is None
    assert checked.region == ""
    with pytest.raises(ValueError, match="no age"):
        checked.age_on(TODAY)


def test_no_value_shows_personal_data_in_its_repr_or_its_sentences() -> None:
    shown = [
        repr(check_citizen_id(WOMAN, TODAY)),
        repr(check_disability_card(WOMAN + "43")),
        repr(clean_name("加仓·晋美南杰")),
        repr(check_phone("13934809906")),
        *(p.sentence() for p in check_citizen_id(WOMAN[:17] + "9", TODAY).problems),
    ]
    assert not any(secret in text for text in shown for secret in (WOMAN, "1983", "加仓", "13934809906"))


# --- disability cards


@given(
    citizen_ids(),
    st.sampled_from("1234567"),
    st.sampled_from("1234"),
    st.one_of(
        st.just(""), digits, digits.map(lambda digit: f"B{digit}"), digits.map(lambda digit: f"b{digit}")
    ),
)
def test_a_card_is_the_citizen_id_with_category_grade_and_reissue(
    number: str, category: str, grade: str, reissue: str
) -> None:
    card = check_disability_card(number + category + grade + reissue, number)
    assert card.problems == ()
    assert (card.citizen_id, card.category, card.grade, card.reissue) == (
        number,
        category,
        grade,
        reissue.upper(),
    )


@pytest.mark.parametrize("tail", ["", "4", "84", "45", "04", "40", "43B", "43BB", "43B12", "4312"])
def test_a_card_of_another_form_is_refused(tail: str) -> None:
    assert codes(check_disability_card(WOMAN + tail).problems) == ["card_format"]


def test_a_card_of_another_person_is_refused() -> None:
    assert codes(check_disability_card(WOMAN + "43", MAN).problems) == ["card_id_mismatch"]


@pytest.mark.parametrize("raw", [6.3212119831018998e19, "6.32121E+19", "63212119831018900000"])
def test_a_card_whose_digits_a_spreadsheet_lost_is_refused_as_damaged(raw: object) -> None:
    assert codes(check_disability_card(raw).problems) == ["card_damaged_by_spreadsheet"]


def test_the_card_is_optional() -> None:
    assert check_disability_card("　").problems == ()


# --- credit codes


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    head = draw(st.sampled_from(["91", "92", "93", "52", "51", "13", "N2", "N1", "N3", "Y1", "A1"]))
    organisation = draw(st.text(alphabet, min_size=8, max_size=8))
    body = f"{head}630202{organisation}{organisation_check_digit(organisation)}"
    return body + uscc.calc_check_digit(body)


@given(credit_codes())
def test_every_valid_credit_code_is_accepted_also_of_village_collectives(code: str) -> None:
    assert check_uscc(code.lower()).problems == ()
    assert check_uscc(code).text == code


@given(credit_codes(), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_no_single_wrong_character_of_a_credit_code_passes(code: str, place: int, character: str) -> None:
    mutated = code[:place] + character + code[place + 1 :]
    assert check_uscc(mutated).is_sound == (mutated == code)


def test_eighteen_zeros_are_no_credit_code() -> None:
    assert uscc.is_valid("0" * 18)
    assert codes(check_uscc("0" * 18).problems) == ["uscc_format"]


def test_a_wrong_check_digit_of_the_inner_organisation_code_only_warns() -> None:
    assert organisation_check_digit("MA000000") == "7"
    checked = check_uscc("91630200MA0000001Q")
    assert codes(checked.problems) == ["uscc_organisation_check"]
    assert checked.is_sound


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "missing"),
        ("9163020", "uscc_length"),
        ("91630200MAO000001Q", "uscc_format"),
        ("91630200MA0000001R", "uscc_checksum"),
    ],
)
def test_a_credit_code_says_what_is_wrong_with_it(raw: str, code: str) -> None:
    assert codes(check_uscc(raw).problems) == [code]


# --- certificate numbers

numbers = st.builds(
    CertificateNumber,
    st.text("0123456789", min_size=6, max_size=6),
    st.integers(1000, 9999),
    st.integers(1, 999_999),
)


@given(numbers)
def test_a_certificate_number_comes_back_from_its_written_form(number: CertificateNumber) -> None:
    assert parse_certificate_number(number.text) == number
    assert number.text == certificate_number(number.division_code, number.year, number.serial)
    assert mod_11_10.is_valid(number.text.replace("-", ""))


@given(numbers, st.sampled_from(["{}", " {} ", "编号：{}", "No.{}", "证书编号:{}"]), st.sampled_from("-—– ‐"))
def test_blanks_width_dashes_and_labels_around_a_certificate_number_do_not_matter(
    number: CertificateNumber, pattern: str, dash: str
) -> None:
    typed = pattern.format(number.text.replace("-", dash))
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in number.text)
    assert parse_certificate_number(typed) == number
    assert parse_certificate_number(wide) == number


@given(numbers, st.integers(0, 16), digits)
def test_no_single_wrong_digit_of_a_certificate_number_passes(
    number: CertificateNumber, place: int, digit: str
) -> None:
    bare = number.text.replace("-", "")
    mutated = bare[:place] + digit + bare[place + 1 :]
    assert (parse_certificate_number(mutated) is None) == (mutated != bare)


@pytest.mark.parametrize(
    "parts", [("63020", 2025, 1), ("630202", 25, 1), ("630202", 2025, 0), ("630202", 2025, 10**6)]
)
def test_a_part_out_of_range_makes_no_certificate_number(parts: tuple[str, int, int]) -> None:
    with pytest.raises(ValueError, match="a "):
        certificate_number(*parts)


def test_a_mistyped_certificate_number_says_what_is_wrong() -> None:
    assert codes(check_certificate_number("").problems) == ["missing"]
    assert codes(check_certificate_number("630202-2025-1").problems) == ["certificate_number_format"]
    good = certificate_number("630202", 2025, 1)
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    assert codes(check_certificate_number(wrong).problems) == ["certificate_number_checksum"]


# --- names

NAMES = [
    "加仓·晋美南杰",
    "买买提·艾力",
    "𬭎",
    "王䶮",
    "李㛃",
    "〇王",
    "བསྟན་འཛིན",
    "ئالىم",
    "Ivan Petrov",
    "J. Smith",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_is_stored_as_entered(name: str) -> None:
    assert clean_name(f"　{name} ").text == name
    assert clean_name(name).problems == ()


def test_a_stored_name_is_never_normalised_but_compared_so() -> None:
    assert clean_name("\uf9d1小红").text == "\uf9d1小红"
    assert name_match_key("\uf9d1小红") == name_match_key("\u516d小红")


@pytest.mark.parametrize("separator", "•・．‧∙.･⋅●·")
def test_look_alike_separators_become_the_one_that_is_prescribed(separator: str) -> None:
    cleaned = clean_name(f"买买提{separator}艾力")
    assert cleaned.text == "买买提·艾力"
    assert codes(cleaned.problems) == ([] if separator == "·" else ["name_separator_normalised"])


@pytest.mark.parametrize("typed", ["李 明", "李　明", "李\u200b明", "李 \xa0 明"])
def test_blanks_that_only_lay_out_a_name_are_removed_with_a_warning(typed: str) -> None:
    cleaned = clean_name(typed)
    assert cleaned.text == "李明"
    assert codes(cleaned.problems) == ["name_blanks_removed"]


@pytest.mark.parametrize(
    "typed",
    [
        "=1+1",
        "＝李明",
        "+李",
        "-李",
        "@李",
        "李<b>",
        "李＞",
        "李&nbsp;",
        "李\n明",
        "李\x00",
        "李\u202e明",
        "李\ufffd",
        "李" + chr(0xD800),
        5,
        1.5,
    ],
)
def test_formulas_markup_controls_and_figures_are_no_names(typed: object) -> None:
    assert codes(clean_name(typed).problems) == ["name_characters"]


def test_a_name_has_at_most_fifty_characters() -> None:
    assert clean_name("𬭎" * 50).is_sound
    assert codes(clean_name("𬭎" * 51).problems) == ["name_too_long"]


@pytest.mark.parametrize("typed", [None, "", " 　", "\u200b", "\ufeff "])
def test_an_empty_name_is_missing(typed: object) -> None:
    assert codes(clean_name(typed).problems) == ["missing"]


name_texts = st.text(
    st.one_of(
        st.sampled_from("李明买提·•.． '=\u200b\u200d\u3000‘"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=20,
)


@settings(max_examples=300)
@given(name_texts)
def test_cleaning_a_cleaned_name_changes_nothing_and_warns_of_nothing(typed: str) -> None:
    once = clean_name(typed)
    if once.is_sound:
        again = clean_name(once.text)
        assert again.text == once.text
        assert again.problems == ()


@settings(max_examples=300)
@given(name_texts)
def test_the_match_key_of_a_key_is_itself_and_cleaning_a_name_never_changes_its_key(typed: str) -> None:
    key = name_match_key(typed)
    assert name_match_key(key) == key
    if clean_name(typed).is_sound and "'" not in typed and "‘" not in typed:
        assert name_match_key(clean_name(typed).text) == key


@given(name_texts.filter(lambda name: len(name) > 1))
def test_a_mask_ends_in_stars_and_shows_nothing_but_the_beginning(typed: str) -> None:
    mask = masked_name(typed)
    shown = mask.rstrip("*")
    assert mask.endswith("*") or len(shown) < len(typed)
    assert typed.startswith(shown)
    assert set(mask.removeprefix(shown)) <= {"*"}


@pytest.mark.parametrize(
    ("name", "mask"),
    [("李明", "李*"), ("加仓·晋美南杰", "加******"), ("𬭎", "*"), ("王䶮", "王*"), ("བསྟན", "བ**"), ("", "")],
)
def test_a_name_is_masked_but_for_its_first_written_character(name: str, mask: str) -> None:
    assert masked_name(name) == mask


# --- sex, phone, divisions, catalogue


@pytest.mark.parametrize(
    ("typed", "sex"), [("男", "male"), (" 女 ", "female"), ("F", "female"), (1.0, "male"), ("", None)]
)
def test_the_stated_sex_is_read_from_words_and_codes(typed: object, sex: str | None) -> None:
    assert check_sex(typed).sex == sex
    assert check_sex(typed).problems == ()


def test_an_unreadable_sex_only_warns() -> None:
    (problem,) = check_sex("未知").problems
    assert (problem.code, problem.is_error) == ("sex_format", False)


@pytest.mark.parametrize(
    ("typed", "digits_"),
    [
        ("139 7250 6315", "13972506315"),
        (13972506315.0, "13972506315"),
        ("+86-13972506315", "13972506315"),
        ("8613972506315", "13972506315"),
        ("0972-8612345", "09728612345"),
        ("（0972）8612345", "09728612345"),
        ("", ""),
    ],
)
def test_mobiles_and_landlines_are_read_as_digits(typed: object, digits_: str) -> None:
    assert check_phone(typed).text == digits_
    assert check_phone(typed).problems == ()


@pytest.mark.parametrize("typed", ["13912345", "8612345", "23972506315", "电话不详"])
def test_any_other_phone_only_warns(typed: str) -> None:
    (problem,) = check_phone(typed).problems
    assert (problem.code, problem.is_error) == ("phone_format", False)


def test_haidong_has_six_counties_and_its_past_codes_are_known() -> None:
    assert len(COUNTIES) == 6
    assert division_name("632127") == "化隆回族自治县"
    assert division_name("630101") is None
    assert all(is_known_region(division.code) for division in HAIDONG)
    assert not is_known_region("632199")


def test_a_variant_sentence_never_changes_the_severity_of_its_code() -> None:
    assert all(kind.severity == CATALOGUE[code].severity for (code, _), kind in VARIANTS.items())

"""Identifiers: the numbers and names by which people, organisations, places and certificates are known.

Every check is pure and answers with a value that carries its problems
(:mod:`skills_registry.foundation.problems`); nothing is raised for what somebody typed, and nothing
is guessed. What spreadsheets and input methods do to a number (full-width digits, blanks, a leading
apostrophe, a trailing ``.0``, a Cyrillic Х) is undone; digits that a spreadsheet has lost are not
invented. Only length, form, check digit and an impossible date are errors: region, sex and age warn.

Values keep personal data out of their ``repr``, so that a traceback or a log line never shows it.
"""

from skills_registry.foundation.identifiers.certificate_numbers import (
    CertificateNumber,
    certificate_number,
    check_certificate_number,
    parse_certificate_number,
)
from skills_registry.foundation.identifiers.citizen_ids import CitizenId, check_citizen_id, masked_citizen_id
from skills_registry.foundation.identifiers.contacts import Phone, SexStated, check_phone, check_sex
from skills_registry.foundation.identifiers.credit_codes import CreditCode, check_uscc
from skills_registry.foundation.identifiers.disability_cards import DisabilityCard, check_disability_card
from skills_registry.foundation.identifiers.divisions import (
    COUNTIES,
    HAIDONG,
    Division,
    division_name,
    is_known_region,
)
from skills_registry.foundation.identifiers.folding import Folded, fold_number
from skills_registry.foundation.identifiers.names import (
    LONGEST_NAME,
    NAME_SEPARATOR,
    CleanName,
    clean_name,
    masked_name,
    name_match_key,
)

__all__ = [
    "COUNTIES",
    "HAIDONG",
    "LONGEST_NAME",
    "NAME_SEPARATOR",
    "CertificateNumber",
    "CitizenId",
    "CleanName",
    "CreditCode",
    "DisabilityCard",
    "Division",
    "Folded",
    "Phone",
    "SexStated",
    "certificate_number",
    "check_certificate_number",
    "check_citizen_id",
    "check_disability_card",
    "check_phone",
    "check_sex",
    "check_uscc",
    "clean_name",
    "division_name",
    "fold_number",
    "is_known_region",
    "masked_citizen_id",
    "masked_name",
    "name_match_key",
    "parse_certificate_number",
]

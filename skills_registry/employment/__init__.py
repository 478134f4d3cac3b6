"""Employment (就业): the yearly four services, and the work that people found, as dated entries of a person.

The plan gives everybody with a wish to work four services a year (四个一): their particulars checked,
their ability assessed, their search registered, work introduced (东政办〔2023〕70号 二(九)). What came of it is
entered in one of the seven forms of the national statistics, with its evidence, and counts for a base
once somebody other than the one who entered it has confirmed it.
"""

from skills_registry.employment.counts import count_for, employed
from skills_registry.employment.employments import (
    EMPLOYMENT,
    FORMS,
    Employment,
    Facts,
    confirm,
    doubts_about,
    employer_of,
    employments_of,
    employments_of_bases,
    end,
    refuse,
    report,
    strike,
    uscc_of,
)
from skills_registry.employment.follow_up import FollowUpSheet, follow_up_sheet
from skills_registry.employment.services import (
    EMPLOYMENT_SERVICE,
    SERVICES,
    ServiceEntry,
    missing_in,
    outcome_of,
    record_service,
    services_of,
    strike_service,
)

__all__ = [
    "EMPLOYMENT",
    "EMPLOYMENT_SERVICE",
    "FORMS",
    "SERVICES",
    "Employment",
    "Facts",
    "FollowUpSheet",
    "ServiceEntry",
    "confirm",
    "count_for",
    "doubts_about",
    "employed",
    "employer_of",
    "employments_of",
    "employments_of_bases",
    "end",
    "follow_up_sheet",
    "missing_in",
    "outcome_of",
    "record_service",
    "refuse",
    "report",
    "services_of",
    "strike",
    "strike_service",
    "uscc_of",
]

"""One person, one file (一人一档): everything on record about a person, found, read, corrected and handed over.

A file is gathered when it is asked for and never kept: trainings, attendance, results, certificates of
ours and of others, the yearly services and employment stay where they were recorded. Reading it needs a
reason and is logged, and so is every correction.
"""

from skills_registry.person_files.corrections import (
    CORRECTABLE,
    CORRECTION_REQUEST,
    NUMBERS_OF_IDENTITY,
    CorrectionRequest,
    accept,
    corrections_of,
    new_value_of,
    old_value_of,
    read_request,
    refuse,
    request,
)
from skills_registry.person_files.gathering import PersonFile, read_file
from skills_registry.person_files.reach import (
    Residence,
    people_reached,
    require_reached,
    residences_of,
    search,
    settle,
)

__all__ = [
    "CORRECTABLE",
    "CORRECTION_REQUEST",
    "NUMBERS_OF_IDENTITY",
    "CorrectionRequest",
    "PersonFile",
    "Residence",
    "accept",
    "corrections_of",
    "new_value_of",
    "old_value_of",
    "people_reached",
    "read_file",
    "read_request",
    "refuse",
    "request",
    "require_reached",
    "residences_of",
    "search",
    "settle",
]

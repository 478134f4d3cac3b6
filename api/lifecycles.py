"""Prints the lifecycle tables as ``docs/lifecycles.md``; a test holds that file to this output."""

from __future__ import annotations

from skills_registry.accounts import ACCOUNT
from skills_registry.bases import APPLICATION, LISTING, SEAT
from skills_registry.certification.certificates import CERTIFICATE
from skills_registry.certification.held import HELD_CERTIFICATE
from skills_registry.certification.plaques import PLAQUE
from skills_registry.competitions.contests import COMPETITION, COMPETITION_EVENT
from skills_registry.competitions.entries import COMPETITION_ENTRY
from skills_registry.employment import EMPLOYMENT, EMPLOYMENT_SERVICE
from skills_registry.evaluation import EVALUATION
from skills_registry.exits import APPEAL, EXIT, SANCTION
from skills_registry.foundation.acts import ROLES
from skills_registry.foundation.lifecycle import Lifecycle
from skills_registry.notices import NOTICE, OBJECTION
from skills_registry.person_files import CORRECTION_REQUEST
from skills_registry.resources import RESOURCE
from skills_registry.safeguards import ERASURE
from skills_registry.training.assessments import ASSESSMENT
from skills_registry.training.changes import CLASS_CHANGE
from skills_registry.training.classes import TRAINING_CLASS
from skills_registry.training.consents import CONSENT
from skills_registry.training.enrolments import ENROLMENT
from skills_registry.training.projects import TRAINING_PROJECT
from skills_registry.training.timetable import SESSION
from skills_registry.training.uploads import UPLOAD

ALL: tuple[Lifecycle, ...] = (
    ACCOUNT,
    APPLICATION,
    SEAT,
    NOTICE,
    OBJECTION,
    LISTING,
    TRAINING_PROJECT,
    TRAINING_CLASS,
    SESSION,
    CLASS_CHANGE,
    ENROLMENT,
    CONSENT,
    ASSESSMENT,
    UPLOAD,
    CERTIFICATE,
    PLAQUE,
    COMPETITION,
    COMPETITION_EVENT,
    COMPETITION_ENTRY,
    EVALUATION,
    SANCTION,
    EXIT,
    APPEAL,
    HELD_CERTIFICATE,
    EMPLOYMENT_SERVICE,
    EMPLOYMENT,
    CORRECTION_REQUEST,
    ERASURE,
    RESOURCE,
)

_HEAD = """\
# Lifecycles 状态表

Printed from the code by `skills-registry lifecycles`; do not edit by hand.
"""


def printed() -> str:
    """All tables: a diagram (Mermaid) and the moves with the roles that may make them."""
    return _HEAD + "".join(_chapter(lifecycle) for lifecycle in ALL)


def _chapter(lifecycle: Lifecycle) -> str:
    names = "\n".join(f"    {code} : {zh} ({code})" for code, (zh, _) in lifecycle.states.items())
    arrows = "\n".join(f"    {move.origin} --> {move.to} : {move.action}" for move in lifecycle.moves)
    rows = "\n".join(
        f"| {move.action} | {_state(lifecycle, move.origin)} | {_state(lifecycle, move.to)} | {_roles(move.roles)} |"
        for move in lifecycle.moves
    )
    return f"""
## {lifecycle.noun} {lifecycle.zh}

```mermaid
stateDiagram-v2
{names}
    [*] --> {lifecycle.first}
{arrows}
```

| act | from | to | by |
|---|---|---|---|
{rows}
"""


def _state(lifecycle: Lifecycle, code: str) -> str:
    return f"{lifecycle.states[code][0]} `{code}`"


def _roles(roles: frozenset[str]) -> str:
    return "、".join(ROLES[role][0] for role in sorted(roles))

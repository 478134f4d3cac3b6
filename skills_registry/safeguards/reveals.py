"""Reveal (查看完整号码): the one way to see a whole ID number of somebody in a list.

Everywhere else it is masked. A reveal is an act of its own, by an officer who serves the person, for a reason
that is written down; the audit tells it as a reading of ``citizen_id``.
"""

from __future__ import annotations

from skills_registry import people
from skills_registry.bases.applications import require_reason
from skills_registry.foundation import audit
from skills_registry.foundation.acts import Act, require_role
from skills_registry.people import Person
from skills_registry.person_files import require_reached
from skills_registry.person_files.reach import OFFICERS


def reveal(act: Act, person: Person, reason: str) -> str:
    """The whole citizen ID of a person, for a reason that is logged.

    :raises NotAllowed: the caller is no officer.
    :raises NotFound: the person is not the caller's business.
    :raises FieldRefused: no reason is given.
    """
    require_role(act, *OFFICERS)
    require_reason(reason)
    require_reached(act, person)
    audit.read(act, "citizen_id", person.id, reason)
    return people.citizen_id_of(act.vault, person)

"""Whatever order of acts a city tries on its certificates, also on copies read long ago: the table holds.

Admission's lifecycle is walked at random in test_admission_laws.py; here hypothesis drives certificates as
a state machine against a model that knows nothing but the table.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from certificates.document import fonts
from skills_registry.certification import issuing
from skills_registry.certification.certificates import CERTIFICATE, Certificate
from skills_registry.foundation.errors import NotAllowed, RuleBroken
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import database
from tests.world import World

ACTS = ("suspend", "reinstate", "revoke", "reissue")
PEOPLE = ("city_officer", "second_city_officer", "county_officer", "base_clerk", "auditor", "admin")
TABLE = {(move.action, move.origin): move.to for move in CERTIFICATE.moves}


class Certificates(RuleBasedStateMachine):
    """Certificates of one class, with what the model says of each."""

    world: World

    @initialize(people=st.integers(1, 3))
    def issue(self, people: int) -> None:
        self.transaction = database.atomic()
        self.opened = self.transaction.__enter__()
        self.copies = self.world.issued(people)
        self.model = {certificate.id: "valid" for certificate in self.copies}
        self.moves = {certificate.id: 0 for certificate in self.copies}

    @rule(chance=st.randoms(use_true_random=False), act=st.sampled_from(ACTS), by=st.sampled_from(PEOPLE))
    def try_act(self, chance: Any, act: str, by: str) -> None:
        # A copy as it was once read: somebody else may have moved the record since.
        certificate = chance.choice(self.copies)
        told = self.model[certificate.id]
        expected = (
            TABLE.get((act, told)) if by.endswith("city_officer") and certificate.status == told else None
        )
        try:
            made = self._do(act, by, certificate)
        except (RuleBroken, NotAllowed):
            assert expected is None, (act, by, told)
            return
        assert expected is not None, (act, by, told, certificate.status)
        self.model[certificate.id] = expected
        self.moves[certificate.id] += 1
        self.copies.append(Certificate.get_by_id(certificate.id))
        if act == "reissue":
            self.model[made.id], self.moves[made.id] = "valid", 0
            self.copies.append(made)

    def _do(self, act: str, by: str, certificate: Certificate) -> Certificate:
        caller = self.world.act(by)
        if act == "reissue":
            signer = self.world.service.signer()
            return issuing.reissue(caller, certificate, signer, fonts.uncovered, reason="补发")
        changed: Certificate = getattr(issuing, act)(caller, certificate, "核查")
        return changed

    @invariant()
    def every_certificate_stands_where_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        standing = {found.id: found.status for found in Certificate.select()}
        assert standing == self.model

    @invariant()
    def nobody_holds_two_and_no_number_is_left_out(self) -> None:
        if not hasattr(self, "model"):
            return
        found = list(Certificate.select())
        in_use = [one.enrolment_id for one in found if one.status != "superseded"]
        assert len(in_use) == len(set(in_use))
        assert sorted(one.serial for one in found) == list(range(1, len(found) + 1))
        replaced = {one.replaces_id for one in found if one.replaces_id}
        assert replaced == {one.id for one in found if one.status == "superseded"}

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        for number, moves in self.moves.items():
            assert len([step for step in steps_of(number) if step.origin]) == moves
        self.opened.rollback()
        self.transaction.__exit__(None, None, None)


def test_certificates_move_only_as_their_table_says_whoever_tries_what(small_world: World) -> None:
    class InThisWorld(Certificates):
        world = small_world

    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

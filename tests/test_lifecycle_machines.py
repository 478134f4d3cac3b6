"""Whatever order of acts anybody tries on classes and certificates, also on copies read long ago: the table holds.

Admission's lifecycle is walked at random in test_admission_laws.py; here hypothesis drives a class from its
filing to its certificates, and certificates after that, as state machines against models that know nothing
but the table and what must stand in a move's way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from certificates.document import fonts
from skills_registry.certification import issuing
from skills_registry.certification.certificates import CERTIFICATE, Certificate
from skills_registry.foundation.acts import Act
from skills_registry.foundation.errors import NotAllowed, RuleBroken
from skills_registry.foundation.lifecycle import steps_of
from skills_registry.foundation.storage import database
from skills_registry.training import classes, closing, enrolments, opening
from skills_registry.training.classes import TRAINING_CLASS, WITH_THE_BASE, TrainingClass
from skills_registry.training.enrolments import Enrolment
from tests.world import PEOPLE as WHO
from tests.world import World

ACTS = ("suspend", "reinstate", "revoke", "reissue")
PEOPLE = ("city_officer", "second_city_officer", "county_officer", "base_clerk", "auditor", "admin")
CLASS_ACTS: dict[str, Callable[[World, Act, TrainingClass], Any]] = {
    "open": lambda _, act, one: opening.open_class(act, one),
    "cancel": lambda _, act, one: classes.cancel_class(act, one, "招生不足"),
    "dissolve": lambda _, act, one: closing.dissolve_class(act, one, "招生不足"),
    "submit": lambda _, act, one: opening.submit_class(act, one),
    "return": lambda _, act, one: classes.return_class(act, one, "请补材料"),
    "approve": lambda world, act, one: issuing.issue(act, one, world.service.signer(), fonts.uncovered),
}
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


class Classes(RuleBasedStateMachine):
    """One class from filing to certificates, with what the model says of it and of each trainee."""

    world: World

    @initialize(people=st.integers(0, 3), ahead=st.sampled_from(("filed", "open", "submitted")))
    def file(self, people: int, ahead: str) -> None:
        self.transaction = database.atomic()
        self.opened = self.transaction.__enter__()
        self.stale = [self.world.filed_class()]
        self.state, self.moves = "filed", 0
        #: Of each trainee: whether they are in the class, and whether they passed (None: no result yet).
        self.inside: dict[Any, bool] = {}
        self.passed: dict[Any, bool | None] = {}
        # Blind chance hardly ever comes as far as an approval: some histories begin further on.
        if ahead != "filed":
            self._move("open", "county_officer")
            for _ in range(people):
                self.enrol()
        if ahead == "submitted" and people:
            for who in self.inside:
                self.world.grade(Enrolment.get_by_id(who), "passed")
                self.passed[who] = True
            self._move("submit", "base_clerk")

    def _move(self, act: str, by: str) -> None:
        CLASS_ACTS[act](self.world, self.world.act(by), self.fresh)
        self.state, self.moves = TRAINING_CLASS.target(act), self.moves + 1
        self.stale.append(self.fresh)

    @property
    def fresh(self) -> TrainingClass:
        found: TrainingClass = TrainingClass.get_by_id(self.stale[0].id)
        return found

    @rule(
        chance=st.randoms(use_true_random=False),
        act=st.sampled_from(tuple(CLASS_ACTS)),
        by=st.sampled_from(PEOPLE),
    )
    def try_to_move(self, chance: Any, act: str, by: str) -> None:
        # A copy as it was once read: somebody else may have moved the class since.
        training_class = chance.choice(self.stale)
        move = TRAINING_CLASS.find(act, self.state) if training_class.status == self.state else None
        possible = (
            move is not None
            and self.world.accounts[by].role in move.roles
            and self._nothing_is_in_the_way(act)
        )
        again = act == "approve" and training_class.status == "approved"
        try:
            CLASS_ACTS[act](self.world, self.world.act(by), training_class)
        except (RuleBroken, NotAllowed):
            assert not possible, (act, by, self.state)
        else:
            assert possible or again, (act, by, self.state, training_class.status)
            if move is not None and not again:
                self.state, self.moves = move.to, self.moves + 1
        self.stale.append(self.fresh)

    def _nothing_is_in_the_way(self, act: str) -> bool:
        results = [self.passed[who] for who, inside in self.inside.items() if inside]
        if act in ("submit", "approve"):
            return bool(results) and None not in results
        return act != "dissolve" or not results

    @precondition(lambda self: self.state in WITH_THE_BASE and len(self.inside) < len(WHO))
    @rule()
    def enrol(self) -> None:
        known = self.world.enrol(self.fresh, len(self.inside) + 1)
        self.inside[known[-1].id], self.passed[known[-1].id] = True, None

    @precondition(lambda self: bool(self.inside))
    @rule(chance=st.randoms(use_true_random=False), passed=st.booleans())
    def grade(self, chance: Any, passed: bool) -> None:
        who = chance.choice(sorted(self.inside))
        if self.state in WITH_THE_BASE and self.inside[who]:
            self.world.grade(Enrolment.get_by_id(who), "passed" if passed else "failed")
            self.passed[who] = passed

    @precondition(lambda self: bool(self.inside))
    @rule(chance=st.randoms(use_true_random=False), by=st.sampled_from(PEOPLE))
    def leave_or_come_back(self, chance: Any, by: str) -> None:
        who = chance.choice(sorted(self.inside))
        verb = enrolments.withdraw if self.inside[who] else enrolments.rejoin
        may = self.state in WITH_THE_BASE and self.world.accounts[by].role in ("base_clerk", "county_officer")
        try:
            verb(self.world.act(by), Enrolment.get_by_id(who), "家中有事")
        except (RuleBroken, NotAllowed):
            assert not may, (by, self.state)
        else:
            assert may, (by, self.state)
            self.inside[who] = not self.inside[who]

    @invariant()
    def the_class_and_its_people_stand_where_the_model_says(self) -> None:
        if not hasattr(self, "state"):
            return
        assert self.fresh.status == self.state
        standing = {one.id: one.status == "enrolled" for one in Enrolment.select()}
        assert standing == self.inside

    @invariant()
    def certificates_are_for_those_who_passed_and_only_after_approval(self) -> None:
        if not hasattr(self, "state"):
            return
        due = {who for who, inside in self.inside.items() if inside and self.passed[who]}
        held = {one.enrolment_id for one in Certificate.select()}
        assert held == (due if self.state == "approved" else set())

    def teardown(self) -> None:
        if hasattr(self, "state"):
            assert len([step for step in steps_of(self.stale[0].id) if step.origin]) == self.moves
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


def test_a_class_moves_only_as_its_table_says_and_certificates_follow_results(small_world: World) -> None:
    class InThisWorld(Classes):
        world = small_world

    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

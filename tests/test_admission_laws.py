"""What holds for every state, act and role, and for every history: nobody comes onto the list by a short cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skills_registry import accounts
from skills_registry.accounts import Account, Operator
from skills_registry.bases import applications, inspections, panels, reviews, scores
from skills_registry.bases.applications import APPLICATION, Application, people_who
from skills_registry.bases.inspections import NothingToSign
from skills_registry.bases.seats import PanelSeat
from skills_registry.foundation.acts import PUBLIC, ROLES, Act
from skills_registry.foundation.errors import NotAllowed, RegistryError, WrongState
from skills_registry.foundation.lifecycle import Step, steps_of
from skills_registry.foundation.storage import database
from tests import admission
from tests.admission import again, sheet
from tests.base_files import kept_photo
from tests.world import CITY, COUNTY, World

#: The account that acts for each role: one who took no part before, so that only the table decides.
ACTORS = {
    "base_clerk": "applicant",
    "county_officer": "second_county_officer",
    "city_officer": "deciding_officer",
    "expert": "expert_3",
    "auditor": "auditor",
    "admin": "admin",
}


@dataclass(frozen=True)
class Trial:
    """One act tried on an application: by whom, with the photos and the panel that it has."""

    world: World
    act: Act
    application: Application


def sign_or_file(trial: Trial) -> None:
    visit = admission.visit(trial.world, trial.application)
    admission.file_or_sign(trial.act, trial.application, visit)


def appoint(trial: Trial) -> None:
    experts = [trial.world.accounts[name] for name in admission.EXPERTS[:3]]
    if trial.application.status == "expert_review":  # there, the act means filling seats: not this move
        raise APPLICATION.refusal("expert_review", "appoint")
    panels.appoint(trial.act, trial.application, experts)


def conclude(trial: Trial) -> None:
    panel = panels.require_panel(trial.application)
    seat = PanelSeat.get((PanelSeat.panel == panel) & (PanelSeat.account == trial.world.accounts["expert_3"]))
    scores.hand_in(trial.act, seat, sheet(), "")


ACTS: dict[str, Callable[[Trial], Any]] = {
    "submit": lambda t: applications.submit(t.act, t.application),
    "return": lambda t: reviews.return_for_correction(t.act, t.application, "理由"),
    "recommend": lambda t: reviews.preliminary_review(t.act, t.application, "recommend", "理由"),
    "not_recommend": lambda t: reviews.preliminary_review(t.act, t.application, "not_recommend", "理由"),
    "inspect": sign_or_file,
    "appoint": appoint,
    "conclude": conclude,
    "publish": lambda t: reviews.publish(t.act, t.application, title="公示", text="公示"),
    "review_again": lambda t: reviews.review_again(t.act, t.application, "理由"),
    "list": lambda t: reviews.list_base(t.act, t.application, basis="文号"),
    "decide_refusal": lambda t: reviews.refuse(t.act, t.application, "理由"),
    "reopen": lambda t: reviews.reopen(t.act, t.application, "理由"),
    "withdraw": lambda t: applications.withdraw(t.act, t.application, "理由"),
}


def in_state(world: World, state: str) -> Application:
    """An application in that state, one act short of the next: one signature, one sheet is missing."""
    if state == "recommended":
        application = admission.recommended(world)
        visit = admission.visit(world, application)
        inspections.file_inspection(world.act("county_officer"), application, visit)
    elif state == "expert_review":
        application = admission.score(world, admission.in_review(world), "expert_1", "expert_2")
    elif state == "refused":
        application = admission.noticed(world)
        reviews.refuse(world.act("other_deciding_officer"), application, "条件不符")
    else:
        application = admission.STATES[state](world)
    kept_photo(world, application)
    return again(application)


def act_of(world: World, role: str) -> Act:
    if role == "public":
        return Act(by=PUBLIC, at=world.now, policy=world.service.policy, vault=world.service.vault)
    return world.act(ACTORS[role])


def as_it_stands(application: Application) -> tuple[Any, ...]:
    steps = Step.select().where(Step.record_id == application.id).count()
    found = again(application)
    return (found.status, found.open, found.round, found.notice_id, found.listing_id, steps)


def test_the_table_of_acts_is_whole() -> None:
    assert set(ACTS) == {move.action for move in APPLICATION.moves}
    assert set(ACTORS) | {"public"} == set(ROLES)
    assert set(admission.STATES) == set(APPLICATION.states)


@pytest.mark.parametrize("state", APPLICATION.states)
def test_every_act_of_every_role_does_what_the_table_says_and_nothing_else(
    small_world: World, state: str
) -> None:
    application = in_state(small_world, state)
    before = as_it_stands(application)
    made, refused = 0, 0
    for action, role in itertools.product(ACTS, ROLES):
        permitted = APPLICATION.find(action, state)
        with database.atomic() as transaction:
            trial = Trial(small_world, act_of(small_world, role), again(application))
            if permitted is not None and role in permitted.roles:
                ACTS[action](trial)
                assert again(application).status == permitted.to, (state, action, role)
                made += 1
            else:
                with pytest.raises((WrongState, NotAllowed, NothingToSign)) as refusal:
                    ACTS[action](trial)
                assert refusal.value.sentence("zh"), (state, action, role)
                assert as_it_stands(application) == before, (state, action, role)
                refused += 1
            transaction.rollback()
    assert made == sum(len(m.roles) for m in APPLICATION.moves if m.origin == state)
    assert made + refused == len(ACTS) * len(ROLES)


# --- random histories ---------------------------------------------------------------------------------

#: Everybody of the small city below may hold several accounts; a person is a number.
Hiring = list[tuple[int, str]]


@dataclass
class Town:
    """A base, and people who each hold some of the accounts: which ones, the history draws."""

    world: World
    application: Application
    accounts: dict[str, list[Account]]

    def act(self, account: Account) -> Act:
        return Act(
            by=accounts.as_caller(account),
            at=self.world.now,
            policy=self.world.service.policy,
            vault=self.world.service.vault,
        )


def town(world: World, hiring: Hiring, *, one_federation: bool) -> Town:
    """Everybody hired: persons by number, at base, county, city (or one federation for both) and expert pool."""
    base = admission.applicant(world)
    city = accounts.register_organisation("市", "federation", CITY)
    county = city if one_federation else accounts.register_organisation("县", "federation", COUNTY)
    places = {
        "base_clerk": base.organisation,
        "county_officer": county,
        "city_officer": city,
        "expert": city,
    }
    people: dict[int, Operator] = {}
    hired: dict[str, list[Account]] = {role: [] for role in places}
    for person, role in dict.fromkeys(hiring):
        operator = people.setdefault(person, Operator.create(label=f"经办{person}"))
        account = world.hire(f"{role}-{person}", places[role], role, operator=operator)  # type: ignore[arg-type]
        hired[role].append(account)
    application = admission.draft(world, base)
    kept_photo(world, application)
    return Town(world, application, hired)


#: Acts that lead on are tried more often than acts that lead back or out, so that many histories arrive.
ONWARD = ("submit", "recommend", "inspect", "appoint", "conclude", "publish", "list", "reopen")


def attempt(city: Town, rng: Random) -> None:
    """One act that fits the state, by any account that has the role; refused as often as not."""
    application = again(city.application)
    fitting = [m for m in APPLICATION.moves if m.origin == application.status and m.action != "withdraw"]
    tries = [(m.action, role) for m in fitting for role in sorted(m.roles)]
    tries += [one for one in tries if one[0] in ONWARD] * 12
    if application.status == "expert_review":
        tries += [("recuse", "expert"), ("fill", "city_officer"), ("fill", "city_officer")]
    action, role = rng.choice(tries)
    if not city.accounts[role]:
        return
    act = city.act(rng.choice(city.accounts[role]))
    try:
        do(city, action, act, application, rng)
    except RegistryError:
        return


def do(city: Town, action: str, act: Act, application: Application, rng: Random) -> None:
    trial = Trial(city.world, act, application)
    if action in ("appoint", "fill"):
        size = 1 if action == "fill" else 3
        pool = city.accounts["expert"]
        chosen = rng.sample(pool, min(size, len(pool)))
        panels.appoint(act, application, chosen)
    elif action in ("conclude", "recuse"):
        seat = panels.seat_of(act, panels.require_panel(application))
        if seat is None:
            raise NotAllowed()
        if action == "recuse":
            panels.recuse(act, seat, "回避")
        else:
            scores.hand_in(act, seat, sheet(), "")
    elif action == "publish":
        notice = reviews.publish(act, application, title="公示", text="公示")
        city.world.now += timedelta(days=(notice.closes_on - act.today).days + rng.randint(0, 1))
    else:
        ACTS[action](trial)


def parts(application: Application) -> dict[str, set[UUID]]:
    """Which natural persons took which part on the way to the list."""
    return {
        "clerks": people_who(application, roles=("base_clerk",)),
        "county": people_who(application, "recommend", "not_recommend"),
        "inspectors": people_who(application, "file_inspection", "sign_inspection"),
        "experts": people_who(application, "score"),
        "deciders": people_who(application, "list"),
    }


def require_clean_hands(application: Application) -> None:
    """The law itself: two people of two organisations at the least, and in fact many more."""
    took = parts(application)
    assert all(took.values()), took
    reviewers = took["county"] | took["inspectors"] | took["experts"] | took["deciders"]
    assert len(reviewers) >= 2
    assert not took["clerks"] & reviewers
    assert not took["deciders"] & (took["county"] | took["inspectors"] | took["experts"])
    assert not took["experts"] & (took["county"] | took["inspectors"])
    report = inspections.latest_inspection(application)
    assert report is not None
    assert len(inspections.inspectors_of(report)) >= 2
    assert len(took["experts"]) >= 3
    county, city = (organisations(application, *acts) for acts in (("recommend", "not_recommend"), ("list",)))
    assert county and city and not county & city


def organisations(application: Application, *actions: str) -> set[UUID]:
    made = [step.by_account for step in steps_of(application.id) if step.action in actions]
    return {account.organisation_id for account in Account.select().where(Account.id.in_(made))}


ROLES_IN_TOWN = ("base_clerk", "county_officer", "city_officer", "expert")
#: Enough people for a clean admission, each with one account; more accounts are drawn on top.
CLEAN: Hiring = [
    (0, "base_clerk"),
    *((1 + n, "county_officer") for n in range(3)),
    *((4 + n, "city_officer") for n in range(5)),
    *((9 + n, "expert") for n in range(6)),
]

more_accounts = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from(ROLES_IN_TOWN)), max_size=14, unique=True
)
chances = st.integers(0, 2**32 - 1).map(Random)
laws = settings(
    max_examples=settings.default.max_examples // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def history(city: Town, rng: Random, acts: int) -> Application:
    for _ in range(acts):
        attempt(city, rng)
        if again(city.application).status == "listed":
            break
    return again(city.application)


def in_a_town(
    world: World, hiring: Hiring, told: Callable[[Town], None], *, one_federation: bool = False
) -> None:
    """Tell one history and forget it again."""
    now, people = world.now, dict(world.accounts)
    with database.atomic() as transaction:
        told(town(world, hiring, one_federation=one_federation))
        transaction.rollback()
    world.now, world.accounts = now, people


@laws
@given(extra=more_accounts, rng=chances)
def test_no_history_comes_onto_the_list_with_fewer_than_two_people_of_two_organisations(
    small_world: World, extra: Hiring, rng: Random
) -> None:
    def told(city: Town) -> None:
        application = history(city, rng, 120)
        if application.status == "listed":
            require_clean_hands(application)

    in_a_town(small_world, [*CLEAN, *extra], told)


def test_histories_do_reach_the_list_so_that_the_law_is_tested(small_world: World) -> None:
    ends: list[str] = []
    for seed in range(8):
        rng = Random(seed)
        in_a_town(small_world, CLEAN, lambda city, rng=rng: ends.append(history(city, rng, 120).status))
    assert ends.count("listed") >= 3, ends


@laws
@given(rng=chances)
def test_one_person_with_every_account_never_comes_onto_the_list(small_world: World, rng: Random) -> None:
    def told(city: Town) -> None:
        assert history(city, rng, 25).status in ("draft", "submitted")

    in_a_town(small_world, [(0, role) for role in ROLES_IN_TOWN], told)


@laws
@given(rng=chances)
def test_one_federation_in_the_place_of_two_never_comes_onto_the_list(
    small_world: World, rng: Random
) -> None:
    def told(city: Town) -> None:
        assert history(city, rng, 40).status not in ("noticed", "listed")

    in_a_town(small_world, CLEAN, told, one_federation=True)


@laws
@given(rng=chances)
def test_without_a_second_inspector_or_another_decider_nothing_is_listed(
    small_world: World, rng: Random
) -> None:
    # Two officers who each hold a county and a city account: they can inspect, and then nobody may decide.
    both = [(person, role) for person in (1, 2) for role in ("county_officer", "city_officer")]
    experts = [(5 + n, "expert") for n in range(4)]

    def told(city: Town) -> None:
        assert history(city, rng, 40).status not in ("noticed", "listed")

    in_a_town(small_world, [(0, "base_clerk"), *both, *experts], told)

"""Whatever is sent to the API, it answers with a status that its own document declares, and never with 5xx.

schemathesis makes requests from the served OpenAPI document: fitting ones, and ones that do not fit. They go
over HTTP to the production server, with the keys of each role and the ids of records that exist, so that
they come past the doors; stateful runs carry ids from one answer into the next request.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from tests import admission, fuzzed
from tests.test_access import named  # noqa: F401  # a fixture: one record for each id that a route names
from tests.world import TODAY, World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

ROLES = ("base_clerk", "county_officer", "city_officer", "expert", "auditor", "admin")

#: How many cases in all; the long form is behind ``make prove``.
SAMPLE, ALL = 240, int(os.environ.get("FUZZ_CASES", "20000"))

#: Which cases are made: the same at every run, unless somebody wants others.
SEED = int(os.environ.get("FUZZ_SEED", "20250210"))

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: What the service may not forget while it is asked: the keys that are asked with.
KEPT = ("/api/v1/me/keys/{prefix}",)


@dataclass
class Attack:
    """Requests of one role against one service, counted; what went wrong, once for each place."""

    url: str
    key: str
    ids: dict[str, str]
    statuses: Counter[int] = field(default_factory=Counter)
    found: dict[str, str] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)
    turn: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def cases(self) -> int:
        """Requests that came past the key; some are sent without, as they must be refused too."""
        return sum(self.statuses.values()) - self.statuses[401]

    def send(self, case: Any) -> None:
        """One request, its answer held to the document."""
        if isinstance(case.body, dict):
            case.body = {name: self._plausible(name, value) for name, value in case.body.items()}
        case.headers = dict(case.headers or {}) | self.headers | self._version(case)
        response = case.call(base_url=self.url, session=self.session, timeout=30)
        self.statuses[response.status_code] += 1
        self.hold(case, response)

    def hold(self, case: Any, response: Any) -> None:
        """Keep what does not fit, with how to send it again."""
        try:
            case.validate_response(response, checks=CHECKS, headers=self.headers)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                place = f"{case.method} {case.path} {response.status_code} {failure.title}"
                sent = f"{case.query} {case.body!r}"[:600]
                self.found.setdefault(place, f"{failure.message[:600]}\n{sent}\n{response.text[:300]}")

    def _plausible(self, name: str, value: Any) -> Any:
        """Ids of records that exist and days of this year, two times of three: chance alone finds neither."""
        self.turn += 1
        if isinstance(value, dict):
            return {inner: self._plausible(inner, found) for inner, found in value.items()}
        if isinstance(value, list):
            return [self._plausible(name, found) for found in value]
        if not isinstance(value, str) or self.turn % 3 == 0:
            return value
        if _DAY.fullmatch(value):
            return (TODAY.date() + timedelta(days=self.turn % 120 - 30)).isoformat()
        return self.ids.get(name, self.ids.get(name.removesuffix("s"), value))

    def _version(self, case: Any) -> dict[str, str]:
        """The version that stands there, so that a change of it comes past the door."""
        if case.method not in ("PUT", "PATCH") or len(str(case.headers)) % 4 == 0:
            return {}
        read = self.session.get(self.url + case.formatted_path, headers=self.headers, timeout=30)
        return {"If-Match": read.headers.get("ETag", '"1"')}


def roles_of(world: World) -> dict[tuple[str, str], frozenset[str]]:
    """Which roles may call an operation, by method and path as the document writes them."""
    app = create_app(world.service.settings, clock=world.service.clock)
    found = {}
    for rule in app.url_map.iter_rules():
        roles: frozenset[str] | None = getattr(app.view_functions[rule.endpoint], "roles", None)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found[method, rule.rule.replace("<", "{").replace(">", "}")] = roles or frozenset()
    return found


def probe(attack: Attack, operation: Any, cases: int, chance: int) -> None:
    """Requests made for one operation: three of four for a record that exists, one of two fitting."""
    known = {name: value for name, value in attack.ids.items() if f"{{{name}}}" in operation.path}
    made = st.one_of(
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known),
        operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=known),
        operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known),
        operation.as_strategy(GenerationMode.NEGATIVE),
    )

    @seed(chance)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(made)
    def send(case: Any) -> None:
        attack.send(case)

    send()


def walk(attack: Attack, schema: Any, runs: int) -> None:
    """Stateful runs: what one answer names, the next request asks for."""

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:  # noqa: ARG002  # schemathesis's words
            return {"headers": attack.headers, "session": attack.session, "timeout": 30}

        def after_call(self, response: Any, case: Any) -> None:  # noqa: ARG002
            attack.statuses[response.status_code] += 1

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            attack.hold(case, response)

    plan = settings(
        max_examples=runs,
        stateful_step_count=8,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    # The service remembers, so that the same steps may be answered otherwise: that ends a walk, no more.
    with suppress(FlakyStrategyDefinition):
        run_state_machine_as_test(Walk, settings=plan)


def seated(world: World) -> dict[str, str]:
    """What experts have to do with: an application that ``expert_1`` sits on the panel of."""
    return {"application_id": str(admission.in_review(world).id)}


def attacked(
    world: World, ids: dict[str, str], roles: tuple[str, ...], cases: int, log: Path
) -> list[Attack]:
    """Each of these roles: stateful runs, then all of its operations, each asked equally often."""
    allowed = roles_of(world)
    ids = ids | seated(world) if "expert" in roles else ids
    keys = {role: world.key("expert_1" if role == "expert" else role) for role in roles}
    attacks = []
    with fuzzed.serving(world, log) as url:
        for role in roles:
            attack = Attack(url, keys[role], ids)
            schema = schemathesis.openapi.from_url(f"{url}/openapi.json").include(
                lambda found, role=role: (
                    role in allowed[found.operation.method.upper(), found.operation.path]
                    and found.operation.path not in KEPT
                )
            )
            mine = [result.ok() for result in schema.get_all_operations()]
            walk(attack, schema, cases // 60)
            turn = 0
            while attack.cases < cases:
                each = max(1, (cases - attack.cases) // len(mine))
                for operation in mine if each > 1 else mine[: cases - attack.cases + 1]:
                    probe(attack, operation, each, SEED + turn)
                turn += 1
            attacks.append(attack)
    return attacks


def told(attacks: list[Attack], log: Path) -> Iterator[str]:
    """What was found, and what the service logged as unforeseen."""
    for attack in attacks:
        for place, how in attack.found.items():
            yield f"{place}\n{how}"
    yield from sorted({line[:400] for line in log.read_text().splitlines() if "unexpected" in line})


def test_a_sample_of_requests_gets_only_declared_answers(
    small_world: World,
    named: dict[str, str],  # noqa: F811  # how pytest is asked for a fixture
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    attacks = attacked(small_world, named, ("base_clerk",), SAMPLE, log)
    cases = sum(attack.cases for attack in attacks)
    print(f"\n{cases} cases: {[dict(sorted(attack.statuses.items())) for attack in attacks]}")
    assert not list(told(attacks, log))
    assert cases >= SAMPLE
    assert sum(attack.statuses[200] + attack.statuses[201] for attack in attacks) > cases // 20


@pytest.mark.prove
@pytest.mark.parametrize("role", ROLES)
def test_twenty_thousand_requests_get_only_declared_answers(
    small_world: World,
    named: dict[str, str],  # noqa: F811  # how pytest is asked for a fixture
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    role: str,
) -> None:
    log = tmp_path / "log"
    (attack,) = attacked(small_world, named, (role,), ALL // len(ROLES) + 1, log)
    found = list(told([attack], log))
    with capsys.disabled():
        print(f"\n{role}: {attack.cases} cases, {dict(sorted(attack.statuses.items()))}", *found, sep="\n")
    assert not found
    assert attack.cases >= ALL / len(ROLES)

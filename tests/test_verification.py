"""The verdict on a scanned code: six steps, the first that fails decides, and words for everybody."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from certificates import token
from certificates.signing import Ed25519Signer, KeyRing, PublicKey, key_id_of
from certificates.verdicts import FINDINGS, STEPS, VERDICTS
from certificates.verification import Verdict, check
from skills_registry.certification.record import OnRecord
from skills_registry.certification.statement import Statement

NEW_YEAR, ISSUED, LAST_DAY = date(2026, 1, 1), date(2026, 4, 30), date(2029, 4, 30)
TODAY = date(2026, 6, 1)

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
KEYS = KeyRing((SIGNER.public_half(NEW_YEAR),))

STATEMENT = Statement(
    key_id=SIGNER.key_id,
    id=bytes(range(16)),
    division=630200,
    year=2026,
    serial=17,
    kind="training_completion",
    issued_on=ISSUED,
    expires_on=LAST_DAY,
    base_number=12,
    occupation_edition="2015",
    occupation_code="4-10-04-02",
    level="level5_junior",
    class_hours=120,
    status_index=16,
    commitment=bytes(range(100, 116)),
)


class Shelf:
    """A registry that keeps its certificates in memory."""

    def __init__(self, *records: OnRecord) -> None:
        self._records = {Statement.decode(record.statement).id: record for record in records}

    def find(self, statement_id: bytes) -> OnRecord | None:
        return self._records.get(statement_id)


def code_of(statement: Statement, signer: Ed25519Signer = SIGNER) -> str:
    return token.encode(statement.encode(), signer.sign(statement.encode()))


def recorded(signed: Statement = STATEMENT, **changes: Any) -> OnRecord:
    body = signed.encode()
    record = OnRecord(
        statement=body,
        derived=body,
        signature=SIGNER.sign(body),
        status="valid",
        superseded_by=None,
        base_listed_at_start=True,
        base_left_on=None,
    )
    return replace(record, **changes)


def online(record: OnRecord | None, on: date = TODAY, code: str = "") -> Verdict:
    shelf = Shelf() if record is None else Shelf(record)
    return check(code or CODE, keys=KEYS, registry=shelf, on=on)


def offline(code: str = "", keys: KeyRing = KEYS, on: date = TODAY) -> Verdict:
    return check(code or CODE, keys=keys, registry=None, on=on)


def outcomes(verdict: Verdict) -> list[str]:
    return [step.outcome for step in verdict.steps]


CODE = code_of(STATEMENT)


class TestOnline:
    def test_a_certificate_on_record_is_valid_and_every_step_passed(self) -> None:
        verdict = online(recorded())
        assert verdict.code == "valid"
        assert outcomes(verdict) == ["passed"] * 6
        assert [(step.number, step.code) for step in verdict.steps] == list(enumerate(STEPS, start=1))

    def test_its_facts_come_from_the_signed_statement(self) -> None:
        facts = online(recorded()).facts
        assert facts is not None
        assert facts.number == "630200-2026-000017-" + facts.number[-1]
        assert (facts.occupation_edition, facts.occupation_code) == ("2015", "4-10-04-02")
        assert (facts.level, facts.class_hours, facts.base_number) == ("level5_junior", 120, 12)
        assert (facts.issued_on, facts.expires_on) == (ISSUED, LAST_DAY)

    def test_the_last_day_of_validity_still_counts(self) -> None:
        assert online(recorded(), on=LAST_DAY).code == "valid"
        assert online(recorded(), on=LAST_DAY + timedelta(days=1)).code == "expired"

    def test_a_certificate_without_an_end_never_expires(self) -> None:
        endless = replace(STATEMENT, expires_on=None)
        verdict = online(recorded(endless), on=date(2999, 1, 1), code=code_of(endless))
        assert verdict.code == "valid"

    @pytest.mark.parametrize("status", ["revoked", "superseded", "suspended"])
    def test_the_status_on_record_decides(self, status: str) -> None:
        verdict = online(recorded(status=status))
        assert verdict.code == status
        assert outcomes(verdict) == ["passed"] * 5 + ["failed"]
        assert verdict.facts is not None

    @pytest.mark.parametrize(
        ("status", "newer", "day", "verdict"),
        [
            ("revoked", "630200-2026-000018-1", LAST_DAY + timedelta(days=1), "revoked"),
            ("revoked", None, LAST_DAY + timedelta(days=1), "revoked"),
            ("suspended", "630200-2026-000018-1", LAST_DAY + timedelta(days=1), "superseded"),
            ("superseded", None, LAST_DAY + timedelta(days=1), "superseded"),
            ("valid", "630200-2026-000018-1", TODAY, "superseded"),
            ("suspended", None, LAST_DAY + timedelta(days=1), "suspended"),
            ("valid", None, LAST_DAY + timedelta(days=1), "expired"),
        ],
    )
    def test_the_weightiest_reason_is_given(
        self, status: str, newer: str | None, day: date, verdict: str
    ) -> None:
        assert online(recorded(status=status, superseded_by=newer), on=day).code == verdict

    def test_a_replaced_certificate_names_the_new_one(self) -> None:
        verdict = online(recorded(status="superseded", superseded_by="630200-2026-000018-1"))
        assert verdict.superseded_by == "630200-2026-000018-1"
        assert "630200-2026-000018-1" in verdict.sentence("zh")
        assert "630200-2026-000018-1" in verdict.sentence("en")

    def test_signed_but_not_on_record_is_an_alarm_and_shows_no_facts(self) -> None:
        verdict = online(None)
        assert verdict.code == "not_on_record"
        assert verdict.alarm
        assert verdict.facts is None
        assert outcomes(verdict) == ["passed", "passed", "passed", "failed", "not_reached", "not_reached"]

    def test_a_row_changed_past_the_registry_is_an_alarm(self) -> None:
        more_hours = replace(STATEMENT, class_hours=240).encode()
        verdict = online(recorded(derived=more_hours))
        assert verdict.code == "altered"
        assert verdict.alarm
        assert verdict.facts is None
        assert outcomes(verdict) == ["passed"] * 4 + ["failed", "not_reached"]

    @pytest.mark.parametrize(
        "change",
        [
            {"derived": None},
            {"derived": b""},
            {"statement": replace(STATEMENT, serial=18).encode()},
            {"signature": bytes(64)},
            {"status": "VALID"},
            {"status": ""},
            {"status": "listed"},
        ],
    )
    def test_any_other_change_of_the_record_is_found_too(self, change: dict[str, Any]) -> None:
        assert online(recorded(**change)).code == "altered"

    def test_a_revoked_certificate_whose_row_was_changed_is_altered(self) -> None:
        assert online(recorded(status="revoked", derived=None)).code == "altered"

    def test_a_second_statement_under_one_id_is_altered(self) -> None:
        other = code_of(replace(STATEMENT, level="level1_senior_technician"))
        assert online(recorded(), code=other).code == "altered"

    @given(some.integers(0, 63), some.integers(1, 255))
    def test_every_byte_of_the_derived_statement_counts(self, place: int, flip: int) -> None:
        derived = bytearray(STATEMENT.encode())
        derived[place] ^= flip
        assert online(recorded(derived=bytes(derived))).code == "altered"


class TestTheBase:
    def test_a_class_taught_out_after_delisting_stays_valid(self) -> None:
        verdict = online(recorded(base_left_on=date(2026, 3, 31)))
        assert verdict.code == "valid"
        assert verdict.base_listed_at_start is True
        assert verdict.base_left_on == date(2026, 3, 31)
        assert "2026年3月31日" in verdict.base_sentence("zh")
        assert "2026-03-31" in verdict.base_sentence("en")

    def test_a_base_that_was_not_listed_is_said_beside_the_verdict(self) -> None:
        verdict = online(recorded(base_listed_at_start=False))
        assert verdict.code == "valid"
        assert verdict.base_listed_at_start is False
        assert verdict.base_sentence("zh") != online(recorded()).base_sentence("zh")

    def test_without_a_record_nothing_is_said_of_the_base(self) -> None:
        for verdict in (offline(), online(None), online(recorded(derived=None)), check_unreadable()):
            assert verdict.base_listed_at_start is None
            assert verdict.base_sentence("zh") == ""


def check_unreadable() -> Verdict:
    return online(recorded(), code="1234")


class TestForgeries:
    def test_a_strangers_key_is_forged_online(self) -> None:
        verdict = online(recorded(), code=code_of(replace(STATEMENT, key_id=STRANGER.key_id), STRANGER))
        assert verdict.code == "forged"
        assert outcomes(verdict) == ["passed", "failed", *["not_reached"] * 4]
        assert verdict.facts is None

    def test_a_strangers_key_is_unknown_offline_since_the_file_may_be_old(self) -> None:
        verdict = offline(code_of(replace(STATEMENT, key_id=STRANGER.key_id), STRANGER))
        assert verdict.code == "unknown_key"
        assert outcomes(verdict) == ["passed", "unknown", *["not_reached"] * 4]

    def test_a_strangers_signature_under_our_key_id_is_forged(self) -> None:
        private = Ed25519PrivateKey.from_private_bytes(bytes(32))
        code = token.encode(STATEMENT.encode(), private.sign(STATEMENT.encode()))
        for verdict in (online(recorded(), code=code), offline(code)):
            assert verdict.code == "forged"
            assert outcomes(verdict) == ["passed", "passed", "failed", *["not_reached"] * 3]

    @pytest.mark.parametrize("day", [NEW_YEAR - timedelta(days=1), date(2026, 9, 2)])
    def test_issued_outside_its_keys_period_is_forged(self, day: date) -> None:
        keys = KeyRing((SIGNER.public_half(NEW_YEAR, date(2026, 9, 1)),))
        statement = replace(STATEMENT, issued_on=day)
        shelf = Shelf(recorded(statement))
        for registry in (shelf, None):
            verdict = check(code_of(statement), keys=keys, registry=registry, on=TODAY)
            assert verdict.code == "forged"
            assert outcomes(verdict)[:2] == ["passed", "failed"]

    def test_what_a_retired_key_signed_in_its_time_stays_valid(self) -> None:
        keys = KeyRing((SIGNER.public_half(NEW_YEAR, ISSUED), STRANGER.public_half(ISSUED)))
        assert check(CODE, keys=keys, registry=Shelf(recorded()), on=LAST_DAY).code == "valid"

    def test_no_changed_digit_is_good_online_or_offline(self) -> None:
        shelf = Shelf(recorded())
        for place in range(token.CODE_LENGTH):
            for digit in "0123456789".replace(CODE[place], ""):
                text = CODE[:place] + digit + CODE[place + 1 :]
                verdict = check(text, keys=KEYS, registry=shelf, on=TODAY)
                assert verdict.code in ("forged", "unreadable")
                assert verdict.facts is None
                assert offline(text).code in ("forged", "unreadable", "unknown_key")

    @pytest.mark.parametrize(
        "text",
        ["", "1", " " + CODE, CODE + "\n", CODE + "0", "0" + CODE, CODE[:-1], CODE[1:], CODE * 2, "https://a.cn/v/" + CODE, "１" + CODE[1:], "马秀兰", "\0"],
    )  # fmt: skip
    def test_a_text_that_is_no_code_is_unreadable(self, text: str) -> None:
        verdict = check(text, keys=KEYS, registry=Shelf(recorded()), on=TODAY)
        assert verdict.code == "unreadable"
        assert outcomes(verdict) == ["failed", *["not_reached"] * 5]

    @given(some.text(max_size=400))
    def test_no_text_breaks_the_check(self, text: str) -> None:
        assert check(text, keys=KEYS, registry=Shelf(recorded()), on=TODAY).code == "unreadable"


class TestOffline:
    def test_a_good_signature_is_authentic_and_never_valid(self) -> None:
        verdict = offline()
        assert verdict.code == "authentic"
        assert outcomes(verdict) == ["passed", "passed", "passed", "unknown", "unknown", "unknown"]
        assert verdict.facts == online(recorded()).facts

    def test_a_saved_key_file_is_enough(self) -> None:
        assert offline(keys=KeyRing.load(KEYS.dump())).code == "authentic"

    def test_the_signed_last_day_is_known_offline(self) -> None:
        assert offline(on=LAST_DAY).code == "authentic"
        verdict = offline(on=LAST_DAY + timedelta(days=1))
        assert verdict.code == "expired"
        assert outcomes(verdict) == ["passed", "passed", "passed", "unknown", "unknown", "failed"]
        assert "2029年4月30日" in verdict.sentence("zh")

    def test_a_newer_certificate_than_the_key_file_is_not_called_forged(self) -> None:
        assert offline(keys=KeyRing()).code == "unknown_key"

    def test_a_key_whose_algorithm_the_reader_lacks_is_not_called_forged(self) -> None:
        public_key = bytes(65)
        national = PublicKey(key_id_of("sm2", public_key), "sm2", public_key, NEW_YEAR)
        statement = replace(STATEMENT, key_id=national.id)
        code = token.encode(statement.encode(), bytes(64))
        keys = KeyRing((national,))
        body = statement.encode()
        for registry in (None, Shelf(recorded(statement=body, derived=body, signature=bytes(64)))):
            assert check(code, keys=keys, registry=registry, on=TODAY).code == "unknown_key"

    def test_a_kind_from_a_newer_registry_is_still_authentic(self) -> None:
        verdict = offline(code_of(replace(STATEMENT, kind="kind_9")))
        assert verdict.code == "authentic"
        assert verdict.facts is not None
        assert verdict.facts.kind == "kind_9"


class TestWords:
    every_verdict = (
        online(recorded()),
        online(recorded(status="revoked")),
        online(recorded(status="superseded", superseded_by="630200-2026-000018-1")),
        online(recorded(status="superseded")),
        online(recorded(status="suspended")),
        online(recorded(), on=LAST_DAY + timedelta(days=1)),
        online(None),
        online(recorded(derived=None)),
        online(recorded(), code=code_of(replace(STATEMENT, key_id=STRANGER.key_id), STRANGER)),
        check_unreadable(),
        offline(keys=KeyRing()),
        offline(),
    )

    def test_these_are_all_verdicts(self) -> None:
        assert {verdict.code for verdict in self.every_verdict} == set(VERDICTS)

    @pytest.mark.parametrize("verdict", every_verdict, ids=lambda verdict: verdict.code)
    def test_heard_alone_the_sentence_says_the_verdict(self, verdict: Verdict) -> None:
        assert verdict.sentence("zh")[:2] == verdict.heading("zh")[:2]
        assert verdict.sentence("en").split()[0].strip(".:,") == verdict.heading("en").split()[0].strip(".:,")
        for language in ("zh", "en"):
            assert "None" not in verdict.sentence(language)
            assert "{" not in verdict.sentence(language)
            assert all(step.sentence(language) for step in verdict.steps)

    def test_only_the_valid_one_begins_with_valid(self) -> None:
        beginnings = [
            verdict.code for verdict in self.every_verdict if verdict.heading("zh").startswith("有效")
        ]
        assert beginnings == ["valid"]

    def test_no_word_outs_the_holder(self) -> None:
        words = [text for v in VERDICTS.values() for text in (v.heading_zh, v.heading_en, v.zh, v.en)]
        words += [text for pair in FINDINGS.values() for text in pair]
        assert not [text for text in words if "残" in text or "disab" in text.lower()]

    @pytest.mark.parametrize("verdict", every_verdict, ids=lambda verdict: verdict.code)
    def test_a_verdict_becomes_json(self, verdict: Verdict) -> None:
        document = json.loads(json.dumps(verdict.document("zh"), ensure_ascii=False))
        assert document["verdict"] == verdict.code
        assert [step["outcome"] for step in document["steps"]] == outcomes(verdict)
        assert (document["facts"] is None) == (verdict.facts is None)
        if verdict.facts is not None:
            assert document["facts"]["issued_on"] == "2026-04-30"

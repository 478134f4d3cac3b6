"""Keys: who may sign, until when, and that a retired key never signs again."""

import base64
import json
import stat
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certificates.signing import (
    ED25519,
    Ed25519Signer,
    KeyFileRefused,
    KeyRing,
    PublicKey,
    create_key,
    key_id_of,
    list_keys,
    load_signer,
    retire_key,
    signed_message,
)
from skills_registry.certification.statement import Statement, Unreadable
from skills_registry.foundation.errors import FieldRefused, NotFound, Unavailable

PASSPHRASE = b"a passphrase for these tests only"
NEW_YEAR, SPRING, AUTUMN = date(2026, 1, 1), date(2026, 4, 30), date(2026, 9, 1)


def statement_of(key_id: bytes) -> bytes:
    return Statement(
        key_id=key_id,
        id=bytes(range(16)),
        division=630200,
        year=2026,
        serial=17,
        kind="training_completion",
        issued_on=SPRING,
        expires_on=None,
        base_number=12,
        occupation_edition="2015",
        occupation_code="4-10-04-02",
        level="level5_junior",
        class_hours=120,
        status_index=16,
        commitment=bytes(16),
    ).encode()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


class TestSignatures:
    signer = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    key = signer.public_half(NEW_YEAR)
    ring = KeyRing((key,))
    statement = statement_of(signer.key_id)

    def test_signing_again_gives_the_same_64_bytes(self) -> None:
        assert self.signer.sign(self.statement) == self.signer.sign(self.statement)
        assert len(self.signer.sign(self.statement)) == 64

    def test_what_a_key_signed_is_genuine_under_it_and_under_no_other(self) -> None:
        signature = self.signer.sign(self.statement)
        other = Ed25519Signer(Ed25519PrivateKey.generate()).public_half(NEW_YEAR)
        assert self.ring.genuine(self.key, self.statement, signature)
        assert not self.ring.genuine(other, self.statement, signature)

    def test_every_changed_byte_of_statement_or_signature_shows(self) -> None:
        signature = self.signer.sign(self.statement)
        for place in range(64):
            for flip in (0x01, 0x80, 0xFF):
                changed = bytearray(self.statement)
                changed[place] ^= flip
                assert not self.ring.genuine(self.key, bytes(changed), signature)
                changed = bytearray(signature)
                changed[place] ^= flip
                assert not self.ring.genuine(self.key, self.statement, bytes(changed))

    def test_a_signature_of_another_length_is_not_genuine(self) -> None:
        signature = self.signer.sign(self.statement)
        for wrong in (b"", signature[:-1], signature + b"\0", signature * 2):
            assert not self.ring.genuine(self.key, self.statement, wrong)

    def test_a_signature_over_the_bare_bytes_is_not_one_over_the_statement(self) -> None:
        bare = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).sign(self.statement)
        assert not self.ring.genuine(self.key, self.statement, bare)

    def test_a_key_signs_only_statements_that_name_it(self) -> None:
        with pytest.raises(ValueError, match="names another key"):
            self.signer.sign(statement_of(b"else"))

    def test_a_key_signs_statements_and_nothing_else(self) -> None:
        with pytest.raises(Unreadable):
            self.signer.sign(b"\x01" + self.signer.key_id + b"pay the bearer")

    def test_a_broken_public_key_checks_nothing(self) -> None:
        broken = PublicKey(b"abcd", ED25519, bytes(31), NEW_YEAR)
        assert not self.ring.genuine(broken, self.statement, self.signer.sign(self.statement))


class TestRing:
    old = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(32))).public_half(NEW_YEAR, SPRING)
    new = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))).public_half(SPRING)
    ring = KeyRing((old, new), issuer="https://skills.example.cn")

    def test_a_saved_key_file_reads_back_as_the_same_ring(self) -> None:
        assert KeyRing.load(self.ring.dump()) == self.ring
        assert KeyRing.load(self.ring.dump().encode()) == self.ring

    def test_a_key_file_saved_with_a_byte_order_mark_reads_too(self) -> None:
        assert KeyRing.load("\ufeff" + self.ring.dump()) == self.ring
        assert KeyRing.load(self.ring.dump().encode("utf-8-sig")) == self.ring

    def test_the_published_document_has_the_shape_that_readers_rely_on(self) -> None:
        document = self.ring.document()
        assert document["issuer"] == "https://skills.example.cn"
        assert [sorted(key) for key in document["keys"]] == [
            ["algorithm", "id", "not_after", "not_before", "public_key"]
        ] * 2
        assert document["keys"][0]["id"] == self.old.id.hex()
        assert document["keys"][0]["not_after"] == "2026-04-30"
        assert document["keys"][1]["not_after"] is None

    def test_the_first_and_the_last_day_of_a_key_count(self) -> None:
        assert self.old.in_period(NEW_YEAR)
        assert self.old.in_period(SPRING)
        assert not self.old.in_period(date(2025, 12, 31))
        assert not self.old.in_period(date(2026, 5, 1))
        assert self.new.in_period(date(2099, 1, 1))

    def test_the_id_depends_on_key_and_algorithm(self) -> None:
        assert self.old.id != self.new.id
        assert key_id_of("sm2", self.old.public_key) != self.old.id

    def test_a_key_of_an_algorithm_from_outside_is_read_and_checked_with_it(self) -> None:
        public_key = bytes(65)
        national = PublicKey(key_id_of("sm2", public_key), "sm2", public_key, NEW_YEAR)
        text = KeyRing((*self.ring.keys, national)).dump()
        assert not KeyRing.load(text).can_check(national)
        with_sm2 = KeyRing.load(text, {"sm2": lambda _key, message, signature: signature == message[-64:]})
        found = with_sm2.find(national.id)
        assert found is not None
        assert with_sm2.can_check(found)
        body = statement_of(found.id)
        assert with_sm2.genuine(found, body, signed_message(body)[-64:])
        assert not with_sm2.genuine(found, body, bytes(64))

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda d: d.pop("keys"),
            lambda d: d.pop("issuer"),
            lambda d: d.update(keys=None),
            lambda d: d["keys"].append("key"),
            lambda d: d["keys"].append(d["keys"][0]),
            lambda d: d["keys"][0].pop("not_after"),
            lambda d: d["keys"][0].update(id="00000000"),
            lambda d: d["keys"][0].update(id="xyz"),
            lambda d: d["keys"][0].update(algorithm="sm2"),
            lambda d: d["keys"][0].update(public_key=d["keys"][1]["public_key"]),
            lambda d: d["keys"][0].update(public_key="*"),
            lambda d: d["keys"][0].update(not_before="spring"),
            lambda d: d["keys"][0].update(not_before=7),
        ],
    )
    def test_a_spoilt_key_file_is_refused(self, spoil) -> None:  # type: ignore[no-untyped-def]
        document = json.loads(self.ring.dump())
        spoil(document)
        with pytest.raises(KeyFileRefused):
            KeyRing.load(json.dumps(document))

    @pytest.mark.parametrize("text", ["", "{}", "[]", "null", "<html>", b"\xff\xfe", "[" * 100_000])
    def test_what_is_no_key_file_is_refused(self, text: str | bytes) -> None:
        with pytest.raises(KeyFileRefused):
            KeyRing.load(text)


class TestKeyDirectory:
    def test_a_created_key_signs(self, directory: Path) -> None:
        key = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        signer = load_signer(directory, PASSPHRASE)
        assert signer.key_id == key.id
        body = statement_of(key.id)
        assert list_keys(directory).genuine(key, body, signer.sign(body))

    def test_the_newest_key_signs_also_among_keys_of_one_day(self, directory: Path) -> None:
        created = [create_key(directory, PASSPHRASE, on=NEW_YEAR) for _ in range(5)]
        assert load_signer(directory, PASSPHRASE).key_id == created[-1].id
        assert list_keys(directory).keys == tuple(created)

    def test_after_the_newest_retires_the_one_before_signs(self, directory: Path) -> None:
        first = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        second = create_key(directory, PASSPHRASE, on=SPRING)
        retire_key(directory, second.id, on=AUTUMN)
        assert load_signer(directory, PASSPHRASE).key_id == first.id

    def test_a_retired_key_never_signs_and_its_public_half_stays(self, directory: Path) -> None:
        key = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        body = statement_of(key.id)
        signature = load_signer(directory, PASSPHRASE).sign(body)
        retired = retire_key(directory, key.id, on=AUTUMN)
        with pytest.raises(Unavailable) as refusal:
            load_signer(directory, PASSPHRASE)
        assert refusal.value.own_code == "no_active_key"
        assert list_keys(directory).keys == (retired,)
        assert retired.not_after == AUTUMN
        assert list_keys(directory).genuine(retired, body, signature)
        assert not list(directory.glob("*private*"))

    def test_retiring_again_keeps_the_first_day_and_finishes_a_cut_off_retirement(
        self, directory: Path
    ) -> None:
        key = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        private = next(directory.glob("*.private.json"))
        sealed = private.read_bytes()
        retire_key(directory, key.id, on=SPRING)
        private.write_bytes(sealed)  # as if the power had failed between the two halves
        with pytest.raises(Unavailable):
            load_signer(directory, PASSPHRASE)
        assert retire_key(directory, key.id, on=AUTUMN).not_after == SPRING
        assert not private.exists()

    def test_a_key_cannot_retire_before_its_first_day(self, directory: Path) -> None:
        key = create_key(directory, PASSPHRASE, on=SPRING)
        with pytest.raises(FieldRefused):
            retire_key(directory, key.id, on=NEW_YEAR)
        assert load_signer(directory, PASSPHRASE).key_id == key.id

    def test_an_unknown_key_cannot_retire(self, directory: Path) -> None:
        with pytest.raises(NotFound):
            retire_key(directory, b"none", on=NEW_YEAR)

    def test_a_key_of_the_same_id_is_not_created_twice(self, directory: Path) -> None:
        private = Ed25519PrivateKey.generate()
        key = create_key(directory, PASSPHRASE, on=NEW_YEAR, private_key=private)
        before = {path.name: path.read_bytes() for path in directory.iterdir()}
        with pytest.raises(Unavailable) as refusal:
            create_key(directory, PASSPHRASE, on=SPRING, private_key=private)
        assert refusal.value.own_code == "key_id_taken"
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
        retire_key(directory, key.id, on=SPRING)
        with pytest.raises(Unavailable):
            create_key(directory, PASSPHRASE, on=SPRING, private_key=private)

    def test_only_the_owner_may_read_the_directory_and_its_files(self, directory: Path) -> None:
        directory.mkdir(mode=0o755)
        create_key(directory, PASSPHRASE, on=NEW_YEAR)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}

    def test_no_file_holds_the_private_key_in_clear(self, directory: Path) -> None:
        private = Ed25519PrivateKey.generate()
        create_key(directory, PASSPHRASE, on=NEW_YEAR, private_key=private)
        raw = private.private_bytes_raw()
        for path in directory.iterdir():
            text = path.read_text()
            assert raw.hex() not in text
            assert base64.urlsafe_b64encode(raw).decode().rstrip("=") not in text

    @pytest.mark.parametrize(
        ("passphrase", "code"), [(b"", "passphrase_missing"), (PASSPHRASE + b"\n", "passphrase_wrong")]
    )
    def test_without_its_passphrase_a_key_does_not_open(
        self, directory: Path, passphrase: bytes, code: str
    ) -> None:
        create_key(directory, PASSPHRASE, on=NEW_YEAR)
        with pytest.raises(Unavailable) as refusal:
            load_signer(directory, passphrase)
        assert refusal.value.own_code == code
        assert "处理办法" in refusal.value.sentence("zh")
        assert "Remedy" in refusal.value.sentence("en")

    def test_no_key_is_created_without_a_passphrase(self, directory: Path) -> None:
        with pytest.raises(Unavailable):
            create_key(directory, b"", on=NEW_YEAR)
        assert not directory.exists()

    def test_an_empty_or_missing_directory_has_no_active_key(self, directory: Path) -> None:
        for _ in range(2):
            assert list_keys(directory).keys == ()
            with pytest.raises(Unavailable) as refusal:
                load_signer(directory, PASSPHRASE)
            assert "keys create" in refusal.value.sentence("zh")
            directory.mkdir(exist_ok=True)

    def test_private_halves_swapped_between_keys_do_not_open(self, directory: Path) -> None:
        first = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        second = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        sealed = (directory / f"{first.id.hex()}.private.json").read_bytes()
        (directory / f"{second.id.hex()}.private.json").write_bytes(sealed)
        with pytest.raises(Unavailable):
            load_signer(directory, PASSPHRASE)

    @pytest.mark.parametrize("half", ["public", "private"])
    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
    def test_a_damaged_file_names_its_key_and_the_remedy(
        self, directory: Path, half: str, content: bytes
    ) -> None:
        key = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        (directory / f"{key.id.hex()}.{half}.json").write_bytes(content)
        with pytest.raises(Unavailable) as refusal:
            load_signer(directory, PASSPHRASE)
        assert refusal.value.own_code == "key_damaged"
        assert key.id.hex() in refusal.value.sentence("zh")

    def test_a_missing_private_half_never_falls_back_to_an_older_key(self, directory: Path) -> None:
        create_key(directory, PASSPHRASE, on=NEW_YEAR)
        newest = create_key(directory, PASSPHRASE, on=SPRING)
        (directory / f"{newest.id.hex()}.private.json").unlink()
        with pytest.raises(Unavailable) as refusal:
            load_signer(directory, PASSPHRASE)
        assert refusal.value.own_code == "key_damaged"

    def test_a_half_written_file_is_no_key(self, directory: Path) -> None:
        key = create_key(directory, PASSPHRASE, on=NEW_YEAR)
        (directory / f".{key.id.hex()}.public.json.0123456789abcdef").write_text('{"id": "')
        assert list_keys(directory).keys == (key,)

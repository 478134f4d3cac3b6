"""The text in the QR code: one text per certificate, and no other text passes."""

import string
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
import qrcode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from certificates.signing import Ed25519Signer, KeyRing
from certificates.token import (
    CODE_LENGTH,
    HOST_LIMIT,
    PublicUrlRefused,
    check_public_url,
    code_from,
    decode,
    encode,
    url,
)
from skills_registry.certification.statement import Statement, Unreadable
from skills_registry.foundation.errors import InputRefused

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
RING = KeyRing((SIGNER.public_half(date(2026, 1, 1)),))
STATEMENT = Statement(
    key_id=SIGNER.key_id,
    id=bytes(range(16)),
    division=630200,
    year=2026,
    serial=17,
    kind="training_completion",
    issued_on=date(2026, 4, 30),
    expires_on=date(2029, 4, 30),
    base_number=12,
    occupation_edition="2015",
    occupation_code="4-10-04-02",
    level="level5_junior",
    class_hours=120,
    status_index=16,
    commitment=bytes(range(100, 116)),
)
BODY = STATEMENT.encode()
SEAL = SIGNER.sign(BODY)
CODE = encode(BODY, SEAL)


def passes(text: str) -> bool:
    """Whether a text reads and carries a signature that holds."""
    try:
        _, body, signature = decode(text)
    except Unreadable:
        return False
    return RING.genuine(RING.keys[0], body, signature)


def test_a_code_carries_statement_and_signature() -> None:
    assert decode(CODE) == (STATEMENT, BODY, SEAL)
    assert passes(CODE)


def test_a_code_is_307_digits_and_says_its_version_first() -> None:
    assert len(CODE) == CODE_LENGTH == 307
    assert CODE.isdigit()
    assert CODE[0] == "1"


@given(some.binary(min_size=4, max_size=4), some.binary(min_size=64, max_size=64))
def test_every_pair_has_one_code_that_gives_it_back(key_id: bytes, signature: bytes) -> None:
    body = replace(STATEMENT, key_id=key_id).encode()
    code = encode(body, signature)
    assert decode(code)[1:] == (body, signature)
    assert len(code) == CODE_LENGTH


@given(some.from_regex(rf"\A1[0-9]{{{306}}}\Z"))
def test_whatever_reads_is_written_the_same_way(text: str) -> None:
    try:
        _, body, signature = decode(text)
    except Unreadable:
        return
    assert encode(body, signature) == text


def test_no_other_digit_at_any_place_passes() -> None:
    for place in range(CODE_LENGTH):
        for digit in string.digits.replace(CODE[place], ""):
            assert not passes(CODE[:place] + digit + CODE[place + 1 :])


@pytest.mark.parametrize("character", [*" -+_.,eExX/%\n\0", "０", "٣", "²", "一", "𝟗", "１", "\u200b"])
def test_no_other_character_at_any_place_reads(character: str) -> None:
    for place in range(CODE_LENGTH + 1):
        for text in (CODE[:place] + character + CODE[place + 1 :], CODE[:place] + character + CODE[place:]):
            with pytest.raises(Unreadable):
                decode(text)


def test_no_shorter_text_reads() -> None:
    for length in range(CODE_LENGTH):
        with pytest.raises(Unreadable):
            decode(CODE[:length])
        with pytest.raises(Unreadable):
            decode(CODE[CODE_LENGTH - length :])
    for place in range(CODE_LENGTH):
        with pytest.raises(Unreadable):
            decode(CODE[:place] + CODE[place + 1 :])


def test_no_longer_text_reads() -> None:
    for digit in string.digits:
        for text in (digit + CODE, CODE + digit):
            with pytest.raises(Unreadable):
                decode(text)
    for place in range(CODE_LENGTH):
        with pytest.raises(Unreadable):
            decode(CODE[: place + 1] + CODE[place:])
    for text in (CODE * 2, "0" * 50 + CODE, CODE + "\n", "9" * 1_000_000):
        with pytest.raises(Unreadable):
            decode(text)


def test_no_two_neighbouring_digits_may_change_places() -> None:
    for place in range(CODE_LENGTH - 1):
        swapped = CODE[:place] + CODE[place + 1] + CODE[place] + CODE[place + 2 :]
        assert swapped == CODE or not passes(swapped)


@pytest.mark.parametrize(
    "flips",
    [
        pytest.param([1 << bit for bit in range(8)], id="every bit"),
        pytest.param(range(1, 256), id="every value", marks=pytest.mark.prove),
    ],
)
def test_every_changed_byte_is_refused(flips: Iterable[int]) -> None:
    everything = BODY + SEAL
    for place in range(len(everything)):
        for flip in flips:
            changed = bytearray(everything)
            changed[place] ^= flip
            body, signature = bytes(changed[:64]), bytes(changed[64:])
            assert not RING.genuine(RING.keys[0], body, signature)
            try:
                code = encode(body, signature)
            except Unreadable:
                continue
            assert not passes(code)


def test_a_number_beyond_the_bytes_does_not_read() -> None:
    for number in (256**127, 10**306 - 1):
        assert len(f"1{number}") == CODE_LENGTH
        with pytest.raises(Unreadable):
            decode(f"1{number}")


@pytest.mark.parametrize("version", "023456789")
def test_a_version_that_nobody_has_written_does_not_read(version: str) -> None:
    with pytest.raises(Unreadable):
        decode(version + CODE[1:])


def test_only_a_statement_and_a_whole_signature_make_a_code() -> None:
    with pytest.raises(Unreadable):
        encode(bytes(64), SEAL)
    with pytest.raises(ValueError, match="64 bytes"):
        encode(BODY, SEAL[:-1])


def test_with_the_longest_host_the_code_fits_qr_version_9_at_correction_m() -> None:
    address = url(check_public_url("https://" + "a" * (HOST_LIMIT - 3) + ".cn"), CODE)
    symbol = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M)
    symbol.add_data(address, optimize=20)
    symbol.make(fit=True)
    assert symbol.version <= 9


@pytest.mark.parametrize(
    "scanned",
    [
        "{code}",
        " {code}\r\n",
        "https://skills.example.cn/v/{code}",
        "HTTPS://SKILLS.EXAMPLE.CN/v/{code}\n",
        "http://127.0.0.1:8000/v/{code}",
        "https://other.example/v/{code}/",
        "https://skills.example.cn/v/{code}?from=scanner",
        "https://skills.example.cn/v/{code}#top",
    ],
)
def test_the_code_is_found_in_what_a_scanner_gives(scanned: str) -> None:
    assert code_from(scanned.format(code=CODE)) == CODE


@pytest.mark.parametrize(
    "scanned",
    [
        "",
        "hello",
        "https://example.cn/",
        "https://example.cn/w/1",
        "https://u.wechat.com/abc",
        "{code} {code}",
        "v/{code}",
    ],
)
def test_a_text_of_another_kind_is_unreadable(scanned: str) -> None:
    with pytest.raises(Unreadable):
        decode(code_from(scanned.format(code=CODE)))


@pytest.mark.parametrize(
    ("given_address", "kept"),
    [
        ("https://skills.example.cn", "https://skills.example.cn"),
        ("https://Skills.Example.cn/", "https://skills.example.cn"),
        ("https://skills.example.cn:8443", "https://skills.example.cn:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("https://" + "a" * 29 + ".cn", "https://" + "a" * 29 + ".cn"),
        ("https://xn--fiq228c.cn", "https://xn--fiq228c.cn"),
    ],
)
def test_a_usable_public_address_is_kept(given_address: str, kept: str) -> None:
    assert check_public_url(given_address) == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "skills.example.cn",
        "http://skills.example.cn",
        "http://127.0.0.1.example.cn",
        "http://localhost.example.cn",
        "ftp://skills.example.cn",
        "javascript:alert(1)",
        "https://",
        "https://skills.example.cn/registry",
        "https://skills.example.cn//",
        "https://skills.example.cn?",
        "https://skills.example.cn?a=b",
        "https://skills.example.cn#top",
        "https://officer@skills.example.cn",
        "https://officer:secret@skills.example.cn",
        "https://技能.example.cn",
        "https://skills.example.cn:port",
        "https://skills.example.cn:99999",
        "https://skills.example.cn:08443",
        "https://skills.example.cn:",
        "https://skills..example.cn",
        "https://-skills.example.cn",
        "https://skills.example.cn\n",
        " https://skills.example.cn",
        "https://[::1]",
        "https://[::1",
        "https://" + "a" * 30 + ".cn",
        "https://" + "a" * 25 + ".cn:8443",
    ],
)
def test_an_unusable_public_address_is_refused_with_the_remedy(address: str) -> None:
    with pytest.raises(PublicUrlRefused) as refusal:
        check_public_url(address)
    assert isinstance(refusal.value, InputRefused)
    assert "https://" in refusal.value.sentence("zh")
    assert "https://" in refusal.value.sentence("en")
    assert "secret" not in refusal.value.sentence("zh")

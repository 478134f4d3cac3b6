"""The text in the QR code: statement and signature as one number of exactly 307 digits.

    digit 1         format version, as in the statement's first byte
    digits 2 – 307  the other 127 bytes as one number, padded with zeros on the left

Digits, because a QR code packs ten bits into three of them and the web address around them stays
plain text: with a host of 32 characters the whole fits QR version 9 at error correction M (325
digits would) and scans best of all forms measured. There is one text for every pair of statement
and signature and nothing else is read, so that no changed, shortened or lengthened text passes.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from skills_registry.certification.statement import SIGNATURE_SIZE, STATEMENT_SIZE, Statement, Unreadable
from skills_registry.foundation.errors import FieldRefused

_REST_SIZE = STATEMENT_SIZE - 1 + SIGNATURE_SIZE
_REST_DIGITS = len(str(256**_REST_SIZE - 1))

#: How many digits a code has.
CODE_LENGTH = 1 + _REST_DIGITS

#: How long host and port may be, so that the code stays within QR version 9.
HOST_LIMIT = 32

_DIGITS = re.compile(rf"[0-9]{{{CODE_LENGTH}}}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]+/v/([^/?#\s]+)/?(?:[?#]\S*)?", re.IGNORECASE)
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_LOCAL = ("127.0.0.1", "localhost")


class PublicUrlRefused(FieldRefused):
    """The registry's public address cannot stand in a QR code. Facts: ``why_zh``, ``why_en``."""

    code = "public_url_refused"
    zh = (
        "PUBLIC_URL 不能使用：{why_zh}。"
        "请设为 https://主机名（连同端口不超过32个字符），例如 https://skills.example.cn。"
    )
    en = (
        "PUBLIC_URL cannot be used: {why_en}. "
        "Set it to https://host (with port at most 32 characters), for example https://skills.example.cn."
    )


def encode(statement: bytes, signature: bytes) -> str:
    """The code for a statement and its signature.

    :raises Unreadable: the bytes are no statement.
    :raises ValueError: the signature has another length than 64 bytes.
    """
    Statement.decode(statement)
    if len(signature) != SIGNATURE_SIZE:
        raise ValueError(f"a signature has {SIGNATURE_SIZE} bytes")
    return f"{statement[0]}{int.from_bytes(statement[1:] + signature):0{_REST_DIGITS}d}"


def decode(text: str) -> tuple[Statement, bytes, bytes]:
    """The statement, its exact bytes and the signature that a code carries; nothing is verified yet.

    :raises Unreadable: the text is not the one text of any statement and signature.
    """
    if _DIGITS.fullmatch(text) is None:
        raise Unreadable()
    rest = int(text[1:])
    if rest >= 256**_REST_SIZE:
        raise Unreadable()
    everything = bytes([int(text[0])]) + rest.to_bytes(_REST_SIZE)
    body, signature = everything[:STATEMENT_SIZE], everything[STATEMENT_SIZE:]
    return Statement.decode(body), body, signature


def url(public_url: str, digits: str) -> str:
    """The address that the QR code holds. ``public_url`` has passed :func:`check_public_url`."""
    return f"{public_url.rstrip('/')}/v/{digits}"


def code_from(text: str) -> str:
    """The code in whatever a scanner hands over: an address of any host, or the code alone.

    Blanks and line ends around it go. A text of another kind comes back as it is: :func:`decode`
    calls it unreadable.
    """
    text = text.strip()
    address = _URL.fullmatch(text)
    return address[1] if address else text


def check_public_url(address: str) -> str:
    """The address as it goes into codes: scheme and host, in lower case, without a slash at the end.

    :raises PublicUrlRefused: it is not https (outside this machine), its host is too long or not
        plain ASCII, or it has a path, a query or a user name.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refusal("格式不对", "it is no web address") from None
    if not address.isascii() or any(not " " < character < "\x7f" for character in address):
        raise _refusal("含有空格或非英文字符", "it has blanks or characters outside ASCII")
    if parts.scheme not in ("https", "http") or _HOST.fullmatch(host) is None:
        raise _refusal("格式不对", "it is no web address")
    if parts.scheme == "http" and host not in _LOCAL:
        raise _refusal("必须是 https", "it must be https")
    plain = f"{host}:{port}" if port else host
    if address.lower().rstrip("/") != f"{parts.scheme}://{plain}" or address.endswith("//"):
        raise _refusal("只能有主机名和端口", "it may hold nothing but host and port")
    if len(plain) > HOST_LIMIT:
        raise _refusal("主机名太长", "the host is too long")
    return f"{parts.scheme}://{plain}"


def _refusal(why_zh: str, why_en: str) -> PublicUrlRefused:
    return PublicUrlRefused(field="PUBLIC_URL", why_zh=why_zh, why_en=why_en)

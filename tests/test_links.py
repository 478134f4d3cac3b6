"""Links are checked politely, within one deadline, and never inside a private network.

Every answer comes from a real server on this machine. The servers stand on addresses of 127.0.0.0/8, which the
registry itself never connects to; a test that means a public site permits one of them by name.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api import links
from api.links import Address, LinkProbe, NoAnswer, is_public
from skills_registry.resources import Resource

SITE, INSIDE = "127.0.0.1", "127.0.0.2"


@dataclass
class Server:
    """A server that answers as told and remembers who asked."""

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)
    at_once: list[int] = field(default_factory=list)

    def url(self, path: str, host: str = "site.example") -> str:
        return f"http://{host}:{self.port}{path}"


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    busy: list[int] = []

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            busy.append(1)
            server.at_once.append(len(busy))
            server.asked.append((self.command, self.headers["User-Agent"]))
            try:
                self._answer()
            finally:
                busy.pop()

        do_GET = do_HEAD  # noqa: N815 - the name that http.server calls

        def _answer(self) -> None:
            page = self.path.strip("/")
            if page.startswith("slow"):
                time.sleep(0.2)
            if page == "no-head" and self.command == "HEAD":
                self.send_error(405)
                return
            if page == "round":
                self.send_response(301)
                self.send_header("Location", "/round")
            elif page.startswith("to="):
                self.send_response(302)
                self.send_header("Location", page.removeprefix("to="))
            else:
                self.send_response(int(page) if page.isdigit() else 200)
            self.end_headers()

        def log_message(self, *_told: Any) -> None:
            pass

    return Answer


@pytest.fixture
def sites() -> Iterator[dict[str, Server]]:
    """One server that stands for a public site, and one inside a private network, on the same port."""
    inner = Server(0)
    first = ThreadingHTTPServer((SITE, 0), BaseHTTPRequestHandler)
    port = first.server_address[1]
    outer = Server(int(port))
    inner.port = outer.port
    first.RequestHandlerClass = handler(outer)
    second = ThreadingHTTPServer((INSIDE, int(port)), handler(inner))
    running = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in (first, second)]
    for thread in running:
        thread.start()
    yield {"site": outer, "inside": inner}
    for server in (first, second):
        server.shutdown()
        server.server_close()


def names(host: str, port: int) -> list[Address]:
    """A name server of our own; what it does not know is asked of the system."""
    known = {"site.example": [SITE], "inside.example": [INSIDE], "half.example": [SITE, INSIDE]}
    if host in known:
        return [ipaddress.ip_address(text) for text in known[host]]
    return links.resolve(host, port)


def probe(**changes: Any) -> LinkProbe:
    usual = {"seconds": 5, "pause": 0, "permits": lambda a: str(a) == SITE, "resolves": names}
    return LinkProbe(**(usual | changes))


@pytest.mark.parametrize(
    ("path", "outcome", "status"),
    [
        ("/200", "alive", 200),
        ("/404", "gone", 404),
        ("/410", "gone", 410),
        ("/500", "no_answer", 500),
        ("/403", "not_for_us", 403),
        ("/429", "not_for_us", 429),
        ("/no-head", "alive", 200),
        ("/to=/200", "alive", 200),
        ("/to=/404", "gone", 404),
    ],
)
def test_an_answer_is_told_by_what_it_means_for_a_reader(
    sites: dict[str, Server], path: str, outcome: str, status: int
) -> None:
    found = probe().look(sites["site"].url(path))
    assert (found.outcome, found.http_status) == (outcome, status)


def test_the_check_says_who_asks(sites: dict[str, Server]) -> None:
    probe(agent="Registry/1 (+https://skills.example)").look(sites["site"].url("/200"))
    assert sites["site"].asked == [("HEAD", "Registry/1 (+https://skills.example)")]


def test_redirects_without_end_are_no_answer(sites: dict[str, Server]) -> None:
    assert probe().look(sites["site"].url("/round")).outcome == "no_answer"
    assert [method for method, _ in sites["site"].asked] == ["HEAD"] * 6 + ["GET"] * 6


@pytest.mark.parametrize("host", [SITE, "localhost", "[::1]", "2130706433", "0x7f.1", "0.0.0.0"])  # noqa: S104
def test_this_machine_is_never_connected_to_however_it_is_written(
    sites: dict[str, Server], host: str
) -> None:
    found = LinkProbe(seconds=5).look(sites["site"].url("/200", host=host))
    assert found.outcome == "private_address"
    assert sites["site"].asked == []


def test_a_redirect_into_the_private_network_is_not_followed(sites: dict[str, Server]) -> None:
    site, inside = sites["site"], sites["inside"]
    for host in ("inside.example", INSIDE):
        found = probe().look(site.url(f"/to={inside.url('/200', host=host)}"))
        assert found.outcome == "private_address"
    assert inside.asked == [] and len(site.asked) == 2


def test_a_name_with_one_private_address_is_not_connected_to_at_all(sites: dict[str, Server]) -> None:
    assert probe().look(sites["site"].url("/200", host="half.example")).outcome == "private_address"
    assert sites["site"].asked == sites["inside"].asked == []


def test_a_name_that_changes_its_address_after_the_look_gains_nothing(sites: dict[str, Server]) -> None:
    answers = iter([[ipaddress.ip_address(SITE)], *[[ipaddress.ip_address(INSIDE)]] * 9])
    found = probe(resolves=lambda *_name: next(answers)).look(sites["site"].url("/200"))
    assert found.outcome == "alive"
    assert len(sites["site"].asked) == 1 and sites["inside"].asked == []


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://site.example/", "gopher://site.example/", "http://"]
)
def test_only_web_addresses_are_followed(sites: dict[str, Server], target: str) -> None:
    assert probe().look(target).outcome == "no_answer"
    assert probe().look(sites["site"].url(f"/to={target}")).outcome == "no_answer"
    assert {method for method, _ in sites["site"].asked} == {"HEAD", "GET"}


PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "240.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("text", PRIVATE)
def test_no_form_of_a_private_address_counts_as_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "223.5.5.5", "2400:3200::1", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def one_shot(answer: Any) -> tuple[int, threading.Thread]:
    """A server that treats each connection as ``answer`` does."""
    listening = socket.create_server((SITE, 0))
    listening.settimeout(4)

    def serve() -> None:
        with listening:
            for _ in range(2):
                try:
                    connection, _peer = listening.accept()
                except TimeoutError:
                    return
                with connection:
                    answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return int(listening.getsockname()[1]), thread


def test_a_server_that_drips_its_answer_is_left_at_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        try:
            for _ in range(40):
                connection.sendall(b"H")
                time.sleep(0.05)
        except OSError:
            return

    port, _ = one_shot(drip)
    began = time.monotonic()
    assert probe(seconds=0.5).look(f"http://site.example:{port}/").outcome == "no_answer"
    assert time.monotonic() - began < 1.5


def test_a_head_without_end_is_not_read() -> None:
    def flood(connection: socket.socket) -> None:
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(2000):
                connection.sendall(b"X-More: " + b"x" * 1000 + b"\r\n")
        except OSError:
            return

    port, _ = one_shot(flood)
    began = time.monotonic()
    probe(seconds=3).look(f"http://site.example:{port}/")
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    "noise", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 50 + b"\r\n\r\n"]
)
def test_what_is_no_answer_of_the_web_is_no_answer(noise: bytes) -> None:
    port, _ = one_shot(lambda connection: connection.sendall(noise))
    assert probe(seconds=2).look(f"http://site.example:{port}/").outcome == "no_answer"


def test_a_name_that_nobody_has_is_no_answer() -> None:
    def unknown(host: str, port: int) -> list[Address]:
        raise NoAnswer()

    assert probe(resolves=unknown).look("http://nobody.example/").outcome == "no_answer"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for site.example that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paper, secret = folder / "site.pem", folder / "site.key"
    paper.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paper, secret


def test_a_sealed_site_is_held_to_its_own_name_and_to_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    site = Server(0)
    server = ThreadingHTTPServer((SITE, 0), handler(site))
    paper, secret = certificate(tmp_path)
    sealing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    sealing.load_cert_chain(paper, secret)
    server.socket = sealing.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    trusted = ssl.create_default_context(cafile=str(paper))
    port = server.server_address[1]
    try:
        assert probe().look(f"https://site.example:{port}/200").outcome == "untrusted"
        assert probe(trust=trusted).look(f"https://site.example:{port}/200").outcome == "alive"
        renamed = probe(trust=trusted, resolves=lambda *_name: [ipaddress.ip_address(SITE)])
        assert renamed.look(f"https://other.example:{port}/200").outcome == "untrusted"
    finally:
        server.shutdown()
        server.server_close()


def test_sites_are_looked_at_beside_each_other_and_the_pages_of_one_site_in_turn(
    sites: dict[str, Server],
) -> None:
    site = sites["site"]
    everyone = probe(resolves=lambda *_name: [ipaddress.ip_address(SITE)], at_once=8)
    one_site = [Resource(url=site.url(f"/slow{n}")) for n in range(3)]
    assert {found.outcome for _, found in links.look_at_all(everyone, one_site)} == {"alive"}
    assert max(site.at_once) == 1
    site.at_once.clear()
    many = [Resource(url=site.url("/slow", host=f"site{n}.example")) for n in range(6)]
    began = time.monotonic()
    assert len(list(links.look_at_all(everyone, many))) == 6
    assert max(site.at_once) > 1 and time.monotonic() - began < 1.0


def test_between_two_pages_of_one_site_there_is_a_pause(sites: dict[str, Server]) -> None:
    pages = [Resource(url=sites["site"].url(f"/{200 + n}")) for n in range(3)]
    began = time.monotonic()
    list(links.look_at_all(probe(pause=0.2), pages))
    assert time.monotonic() - began >= 0.4

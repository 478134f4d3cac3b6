"""Checking links (链接检查): does a resource on the net still open, asked politely and from outside only.

Every name is resolved here, once for each hop, and the connection goes to an address that was looked at:
an address that is not of the public internet is never connected to, neither at first nor after a
redirect, and a name that changes its address between look and connection gains nothing. Only headers
are read, within one deadline for the whole check. Of one site one page is asked at a time, with a pause.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin, urlsplit

from skills_registry.resources import Finding, Resource

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MOST_REDIRECTS = 5
LONGEST_HEAD = 32 * 1024

#: How many sites must be silent together before we look for the fault on our side.
ENOUGH_SITES = 3

#: The network of translated IPv4 addresses (RFC 6052): what is behind it counts.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

_REDIRECTS = (301, 302, 303, 307, 308)


class PrivateAddress(Exception):
    """The name leads into a network that is not public."""


class NoAnswer(Exception):
    """No server, no answer in time, or none that makes sense."""


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet, seen through every IPv6 form of an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        tunnelled = (address.sixtofour, *(address.teredo or ()))
        if not all(is_public(inner) for inner in tunnelled if inner is not None):
            return False
    apart = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not apart


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a name, as the system's resolver gives them.

    :raises NoAnswer: there is no such name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer() from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


@dataclass(frozen=True)
class LinkProbe:
    """Looks whether links open. ``seconds`` are for one whole check, redirects included.

    ``permits`` says which addresses may be connected to, and ``resolves`` what a name stands for.
    """

    agent: str = "SkillsRegistry-LinkCheck/1.0"
    seconds: float = 15
    pause: float = 1
    at_once: int = 8
    permits: Callable[[Address], bool] = is_public
    resolves: Callable[[str, int], list[Address]] = resolve
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def look(self, url: str) -> Finding:
        """What one link leads to. Never raises for what the net does."""
        deadline = time.monotonic() + self.seconds
        found = self._found("HEAD", url, deadline)
        if found.outcome in ("alive", "private_address", "untrusted"):
            return found
        # Many servers answer HEAD wrongly or not at all; what people do is GET.
        return self._found("GET", url, deadline)

    def _found(self, method: str, url: str, deadline: float) -> Finding:
        try:
            status = self._follow(method, url, deadline)
        except PrivateAddress:
            return Finding("private_address")
        except ssl.SSLCertVerificationError:
            return Finding("untrusted")
        except (OSError, NoAnswer, http.client.HTTPException, ValueError):
            return Finding("no_answer")
        return Finding(_meaning(status), status)

    def _follow(self, method: str, url: str, deadline: float) -> int:
        for _ in range(MOST_REDIRECTS + 1):
            status, onward = self._ask(method, url, deadline)
            if status not in _REDIRECTS or not onward:
                return status
            url = urljoin(url, onward)
        raise NoAnswer()

    def _ask(self, method: str, url: str, deadline: float) -> tuple[int, str]:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoAnswer()
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with self._connected(host, port, deadline) as plain:
            if parts.scheme == "http":
                return self._exchange(plain, method, url, host, deadline)
            with self.trust.wrap_socket(plain, server_hostname=host) as sealed:
                return self._exchange(sealed, method, url, host, deadline)

    def _connected(self, host: str, port: int, deadline: float) -> socket.socket:
        addresses = self.resolves(host, port)
        # One private address is enough: a site that is half inside is not a public site.
        if not addresses or not all(self.permits(address) for address in addresses):
            raise PrivateAddress()
        failure: Exception = NoAnswer()
        for address in addresses:
            try:
                return socket.create_connection((str(address), port), timeout=_left(deadline))
            except OSError as error:
                failure = error
        raise failure

    def _exchange(
        self, connection: socket.socket, method: str, url: str, host: str, deadline: float
    ) -> tuple[int, str]:
        parts = urlsplit(url)
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=?~-._')}" if parts.query else ""
        site = f"{host}:{parts.port}" if parts.port else host
        lines = (
            f"{method} {path}{query} HTTP/1.1",
            f"Host: {site}",
            f"User-Agent: {self.agent}",
            "Accept: */*",
            "Connection: close",
        )
        connection.settimeout(_left(deadline))
        connection.sendall("\r\n".join((*lines, "", "")).encode("ascii"))
        return _read_head(connection, deadline)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise NoAnswer()
    return left


def _read_head(connection: socket.socket, deadline: float) -> tuple[int, str]:
    """Status and Location, read within the deadline however slowly they drip; nothing after the headers."""
    read = b""
    while b"\r\n\r\n" not in read and b"\n\n" not in read:
        connection.settimeout(_left(deadline))
        piece = connection.recv(4096)
        if not piece or len(read) > LONGEST_HEAD:
            break
        read += piece
    line, _, rest = read.partition(b"\n")
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise NoAnswer()
    headers = http.client.parse_headers(io.BytesIO(rest))
    return int(words[1]), headers.get("Location", "").strip()


def _meaning(status: int) -> str:
    if status in (404, 410):
        return "gone"
    if status >= 500:
        return "no_answer"
    return "not_for_us" if status >= 400 else "alive"


def look_at_all(probe: LinkProbe, found: Iterable[Resource]) -> Iterator[tuple[Resource, Finding]]:
    """Every link's finding as it comes: sites beside each other, the pages of one site one after another."""
    by_site: dict[str, list[Resource]] = defaultdict(list)
    for resource in found:
        by_site[urlsplit(resource.url).netloc.lower()].append(resource)
    with ThreadPoolExecutor(max_workers=probe.at_once) as pool:
        waiting = [pool.submit(_look_at_site, probe, site) for site in by_site.values()]
        for done in as_completed(waiting):
            yield from done.result()


def nobody_answers(findings: Iterable[tuple[Resource, Finding]]) -> bool:
    """Whether not one of several sites answered: then our own way to the net is cut, and nothing was learnt."""
    known = list(findings)
    sites = {urlsplit(resource.url).netloc.lower() for resource, _ in known}
    silent = all(found.outcome == "no_answer" and found.http_status is None for _, found in known)
    return len(sites) >= ENOUGH_SITES and silent


def _look_at_site(probe: LinkProbe, site: list[Resource]) -> list[tuple[Resource, Finding]]:
    findings = []
    for place, resource in enumerate(site):
        if place:
            time.sleep(probe.pause)
        findings.append((resource, probe.look(resource.url)))
    return findings

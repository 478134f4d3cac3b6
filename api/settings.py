"""Settings: read once from the environment at start-up, checked, and frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from certificates.token import check_public_url
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.storage import DEFAULT_URL


@dataclass(frozen=True)
class Settings:
    """Where this service keeps things and how the world reaches it.

    ``public_url`` is scheme and host as printed into every QR code: it must still answer in ten
    years, so it is checked at start-up. ``proxies`` is how many reverse proxies stand in front.
    ``trusted_hosts`` are further host names that the service answers to; ``metrics_token`` opens
    ``/metrics`` to others than this machine.
    """

    database_url: str
    public_url: str
    secrets_file: Path
    keys_directory: Path
    documents_directory: Path
    policy_file: Path | None
    rate_limit_storage: str
    proxies: int
    trusted_hosts: tuple[str, ...] = ()
    metrics_token: str = ""
    numbers_kept_in: Path | None = None

    @property
    def numbers_file(self) -> Path:
        """The high-water mark of the numbers in use: beside the secrets unless ``NUMBERS_FILE`` names it."""
        return self.numbers_kept_in or self.secrets_file.with_name("numbers.json")

    @property
    def hosts(self) -> list[str]:
        """The host names under which the service answers: its public one, those named, and this machine."""
        return [
            urlsplit(self.public_url).hostname or "",
            *self.trusted_hosts,
            "127.0.0.1",
            "localhost",
            "[::1]",
        ]


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment names; see ``docs/architecture.md`` for the list.

    :raises InputRefused: ``PUBLIC_URL`` cannot be printed into a code, or ``PROXIES`` is no number.
    """
    env = os.environ if environment is None else environment
    var = Path(env.get("REGISTRY_VAR", "var"))
    policy = env.get("POLICY_FILE")
    return Settings(
        database_url=env.get("DATABASE_URL", DEFAULT_URL.replace("var/", f"{var}/")),
        public_url=check_public_url(env.get("PUBLIC_URL", "http://127.0.0.1:8000")),
        secrets_file=Path(env.get("SECRETS_FILE", var / "secrets.json")),
        keys_directory=Path(env.get("KEYS_DIRECTORY", var / "keys")),
        documents_directory=Path(env.get("DOCUMENTS_DIRECTORY", var / "documents")),
        policy_file=Path(policy) if policy else None,
        rate_limit_storage=env.get("REDIS_URL", "memory://"),
        proxies=_count(env.get("PROXIES", "0")),
        trusted_hosts=tuple(env.get("TRUSTED_HOSTS", "").split()),
        metrics_token=env.get("METRICS_TOKEN", ""),
        numbers_kept_in=Path(env["NUMBERS_FILE"]) if env.get("NUMBERS_FILE") else None,
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise FieldRefused(field="PROXIES")
    return int(text)

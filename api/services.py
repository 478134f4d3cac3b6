"""What a running service is built with: settings, policy, secret keys, signing keys and a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.settings import Settings
from certificates import signing
from skills_registry.documents import FolderShelf
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.privacy import Vault


@dataclass(frozen=True)
class Services:
    """Built once at start-up and handed down; nothing below the top floor reaches up for it."""

    settings: Settings
    policy: Policy
    vault: Vault
    clock: Callable[[], datetime]

    def signer(self) -> signing.Ed25519Signer:
        """The newest signing key in force.

        :raises Unavailable: there is none; the remedy is ``skills-registry keys create``.
        """
        return signing.load_signer(self.settings.keys_directory, self.vault.signing_passphrase)

    def shelf(self) -> FolderShelf:
        """Where uploaded documents lie."""
        return FolderShelf(self.settings.documents_directory, self.vault)

    def key_ring(self) -> signing.KeyRing:
        """The public keys, of today and of former days."""
        return signing.list_keys(self.settings.keys_directory, issuer=self.settings.public_url)

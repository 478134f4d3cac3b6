"""What every command stands on: a refusal told plainly, and the registry opened as the settings name it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import click
from peewee import DatabaseError, ImproperlyConfigured

from api.callers import utc_now
from api.services import Services
from api.settings import Settings
from skills_registry import accounts
from skills_registry.foundation import journal, series
from skills_registry.foundation.errors import RegistryError
from skills_registry.foundation.high_water import FileMark
from skills_registry.foundation.policy import load_policy
from skills_registry.foundation.privacy import Vault, create_vault, load_vault
from skills_registry.foundation.storage import migrate, open_database, pending_migrations


def told_plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """A refusal becomes one sentence on standard error, never a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except RegistryError as error:
            click.echo(f"{error.sentence('zh')}\n{error.sentence('en')}", err=True)
        except ImproperlyConfigured:
            click.echo(
                "缺少 PostgreSQL 驱动，请安装： pip install '.[postgresql]' (driver missing)", err=True
            )
        except DatabaseError as error:
            kind = type(error).__name__
            click.echo(
                f"数据库无法使用，请检查 DATABASE_URL 和数据库服务。 Database unavailable ({kind}).", err=True
            )
        sys.exit(1)

    return run


def prepared(settings: Settings) -> Services:
    """Open the database, bring it up to date, and make secrets and a signing key where there are none."""
    open_database(settings.database_url)
    migrated(settings)
    vault = vault_of(settings)
    journal.keep(vault)
    series.keep(FileMark(settings.numbers_file))
    return Services(settings=settings, policy=load_policy(settings.policy_file), vault=vault, clock=utc_now)


def migrated(settings: Settings) -> list[str]:
    """Bring the open database to the newest schema; the names of the migrations that were applied."""
    # What migrations change is sealed afterwards, which needs the keys where there are records.
    if settings.secrets_file.exists():
        journal.keep(load_vault(settings.secrets_file))
    if pending_migrations():
        import api.app  # noqa: F401 - every table must be known to be sealed
    applied = migrate()
    if "0018_operations" in applied:
        series.lay_first_mark(FileMark(settings.numbers_file))
    return applied


def vault_of(settings: Settings) -> Vault:
    """The registry's secret keys, made where there is no registry yet."""
    # Secrets are only ever made for a registry that holds nothing yet: new ones could open nothing old.
    if not settings.secrets_file.exists() and not accounts.Organisation.select().exists():
        return create_vault(settings.secrets_file)
    return load_vault(settings.secrets_file)

"""``skills-registry field-keys`` and ``retention``, as the command line takes and answers them."""

from __future__ import annotations

import itertools
import sys

import click

from api import field_keys, privacy_note
from api.callers import utc_now
from api.command_line import prepared, told_plainly
from api.settings import from_environment
from skills_registry.foundation.acts import SHANGHAI
from skills_registry.foundation.policy import load_policy


@click.group("field-keys")
def field_keys_group() -> None:
    """数据密钥：更换、重新加密、停用。 Data keys: exchange, re-seal, retire."""


@field_keys_group.command("list")
@told_plainly
def list_field_keys_command() -> None:
    """列出数据密钥和各自加密的内容数。 List data keys with how much lies under each."""
    service = prepared(from_environment())
    keys, current = service.vault.in_force()
    used = field_keys.in_use(service)
    for version in sorted({0, *keys, *used} if used[0] else {*keys, *used}):
        state = (
            "当前 current" if version == current else "明文文件 plain files" if version == 0 else "旧 older"
        )
        click.echo(f"{version:3}  {used[version]:8}  {state}")


@field_keys_group.command("create")
@told_plainly
def create_field_key_command() -> None:
    """创建新的数据密钥，今后用它加密。 Make a new data key; everything is sealed under it from now on."""
    service = prepared(from_environment())
    version = field_keys.create(service)
    click.echo(f"{version}  请备份密钥文件 Back up: {service.settings.secrets_file}")


@field_keys_group.command("reseal")
@click.option("--at-once", type=click.IntRange(1, 5000), default=200, show_default=True, help="每批行数 rows")
@click.option("--at-most", type=click.IntRange(1), help="最多处理的批数，之后停下 stop after so many batches")
@told_plainly
def reseal_command(at_once: int, at_most: int | None) -> None:
    """用当前密钥重新加密旧内容，可随时中断再继续。 Re-seal what is older; stop it any time, it goes on."""
    service = prepared(from_environment())
    resealed = left = 0
    for _table, done, kept in itertools.islice(field_keys.reseal(service, at_once=at_once), at_most):
        resealed, left = resealed + done, left + kept
    current = service.vault.in_force()[1]
    older = sum(count for version, count in field_keys.in_use(service).items() if version != current)
    click.echo(
        f"已重新加密 re-sealed: {resealed}   无法处理 left as found: {left}   尚余 still older: {older}"
    )
    sys.exit(1 if left else 0)


@field_keys_group.command("retire")
@click.argument("version", type=click.IntRange(1, 255))
@told_plainly
def retire_field_key_command(version: int) -> None:
    """停用不再使用的数据密钥。 Retire a data key that nothing lies under any more."""
    service = prepared(from_environment())
    field_keys.retire(service, version)
    copy = f"{service.settings.secrets_file.name}.with-key-{version}"
    click.echo(f"已停用 retired: {version}   旧备份仍需此密钥，请另行保管 Old backups still need it: {copy}")


@click.command("retention")
@click.option("--carry-out", is_flag=True, help="实际删除；不加此项只显示 remove; otherwise only shown")
@told_plainly
def retention_command(*, carry_out: bool) -> None:
    """显示到期应删除的内容。 Show what has had its time; with --carry-out remove it."""
    service = prepared(from_environment())
    for due in field_keys.dues(service):
        count = field_keys.remove(service, due) if carry_out else due.count()
        what = "已删除 removed" if carry_out else "到期 due"
        click.echo(f"{due.code:22} {what}: {count:6}   {due.until}   {due.zh} {due.en}")


@click.command("privacy-note")
@told_plainly
def privacy_note_command() -> None:
    """打印个人信息逐项清单（docs/privacy.md）。 Print every field with purpose, basis and retention."""
    settings = from_environment()
    today = utc_now().astimezone(SHANGHAI).date()
    click.echo(privacy_note.printed(load_policy(settings.policy_file), today), nl=False)

"""``skills-registry backup``, ``restore`` and ``restore confirm-gap``, as the command line takes them."""

from __future__ import annotations

import re
import sys
from datetime import UTC
from pathlib import Path

import click

from api import backups, restores
from api.backup_files import Lock, Unlock, key_file_of, read_identities, read_recipients
from api.callers import act_of
from api.command_line import prepared, told_plainly
from api.settings import from_environment
from skills_registry.foundation import series
from skills_registry.foundation.acts import PUBLIC
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.identifiers import certificate_number

#: A passphrase that opens everything is not a short one.
SHORTEST = 16

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_STAMPED = "registry-%Y%m%dT%H%M%SZ.age"


@click.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--recipients", type=_FILE, help="age 公钥文件 public recipients (age1…), one a line")
@click.option("--passphrase-file", type=_FILE, help="口令文件 file that holds the passphrase")
@click.option("--keep", type=click.IntRange(1, 10_000), help="PATH 为目录时保留的份数 how many to keep")
@click.option("--with-secrets", type=click.Path(path_type=Path), help="密钥另存为 secret keys, elsewhere")
@click.option("--secrets-recipients", type=_FILE, help="密钥副本的公钥 recipients of the secret keys")
@click.option("--secrets-passphrase-file", type=_FILE, help="密钥副本的口令文件 their passphrase")
@told_plainly
def backup_command(
    path: Path,
    recipients: Path | None,
    passphrase_file: Path | None,
    keep: int | None,
    with_secrets: Path | None,
    secrets_recipients: Path | None,
    secrets_passphrase_file: Path | None,
) -> None:
    """在线备份到 PATH（文件或目录），加密并核对。 Back everything up while the service runs, encrypted."""
    service = prepared(from_environment())
    folder = path if path.is_dir() else None
    target = path / service.clock().astimezone(UTC).strftime(_STAMPED) if folder else path
    if with_secrets:
        backups.require_apart(with_secrets, target)
        lock = _lock(secrets_recipients, secrets_passphrase_file, "密钥副本口令 Passphrase of the secrets")
        backups.set_secrets_aside(service, with_secrets, lock, away_from=target)
        click.echo(f"密钥副本 secret keys: {with_secrets}   请另行保管 keep it apart")
    told = backups.back_up(service, target, _lock(recipients, passphrase_file, "备份口令 Passphrase"))
    for finding in told.findings:
        click.echo(str(finding))
    click.echo(f"{told.path}   数据行 rows: {told.rows}   材料 documents: {told.documents}")
    click.echo(f"锚点 head: {told.head}   问题 findings: {len(told.findings)}")
    if folder and keep and not told.findings:
        _forget_oldest(folder, keep)
    sys.exit(1 if told.findings else 0)


def _forget_oldest(folder: Path, keep: int) -> None:
    for old in sorted(folder.glob("registry-????????T??????Z.age"))[:-keep]:
        old.unlink()
        key_file_of(old).unlink(missing_ok=True)


def _lock(recipients: Path | None, passphrase_file: Path | None, asked: str) -> Lock:
    if recipients:
        return Lock(recipients=read_recipients(recipients))
    return Lock(passphrase=_passphrase(passphrase_file, asked, new=True))


def _unlock(identity: Path | None, passphrase_file: Path | None, asked: str) -> Unlock:
    if identity:
        return Unlock(identities=read_identities(identity))
    return Unlock(passphrase=_passphrase(passphrase_file, asked, new=False))


def _passphrase(file: Path | None, asked: str, *, new: bool) -> str:
    told = (
        file.read_text(encoding="utf-8").strip()
        if file
        else click.prompt(asked, hide_input=True, confirmation_prompt=new)
    )
    if new and len(told) < SHORTEST:
        raise click.BadParameter(f"口令至少 {SHORTEST} 个字符 at least {SHORTEST} characters")
    return str(told)


class _Restore(click.Group):
    """``restore PATH``, and ``restore confirm-gap``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["from", *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["from", *args]
        return super().parse_args(ctx, args)


@click.group("restore", cls=_Restore)
def restore_group() -> None:
    """恢复备份：restore PATH；确认断号：restore confirm-gap。 Restore a backup; confirm the gap after."""


@restore_group.command("from")
@click.argument("path", type=_FILE)
@click.option("--identity", type=_FILE, help="age 私钥文件 identity file (AGE-SECRET-KEY-1…)")
@click.option("--passphrase-file", type=_FILE, help="口令文件 file that holds the passphrase")
@click.option("--secrets", type=_FILE, help="密钥副本 the secret keys, as backup --with-secrets wrote them")
@click.option("--secrets-identity", type=_FILE, help="密钥副本的私钥 identity that opens them")
@click.option("--secrets-passphrase-file", type=_FILE, help="密钥副本的口令文件 their passphrase")
@told_plainly
def restore_command(
    path: Path,
    identity: Path | None,
    passphrase_file: Path | None,
    secrets: Path | None,
    secrets_identity: Path | None,
    secrets_passphrase_file: Path | None,
) -> None:
    """把备份恢复到空的位置，先核对再启用。 Restore into an empty place, verified before use."""
    settings = from_environment()
    if secrets:
        asked = "密钥副本口令 Passphrase of the secrets"
        restores.bring_secrets(settings, secrets, _unlock(secrets_identity, secrets_passphrase_file, asked))
    told = restores.restore(settings, path, _unlock(identity, passphrase_file, "备份口令 Passphrase"))
    click.echo(f"已恢复 {told.made_at} 的备份   数据行 rows: {told.rows}   材料 documents: {told.documents}")
    for table, row in told.findings:
        click.echo(f"备份时已有的问题 found when it was made: {table} {row}")
    if told.policy:
        click.echo(f"备份中的政策文件与现用的不同 its policy differs from the one in force: {told.policy}")
    click.echo(f"锚点 head: {told.head}   请与留存的锚点核对 compare it with the one put aside")
    click.echo("暂停编号和发证 No number is given until: skills-registry restore confirm-gap")


@restore_group.command("confirm-gap")
@click.option(
    "--last",
    "stated",
    multiple=True,
    metavar="SERIES=NUMBER",
    help="最后编号，或一个完整证书编号 last number in use, or a whole certificate number",
)
@click.option(
    "--margin",
    type=click.IntRange(0, series.WIDEST_GAP),
    help="未说明的序列再跳过多少号 how far all others jump",
)
@click.option("--reason", default="", help="原因 why the database was put back")
@told_plainly
def confirm_gap_command(stated: tuple[str, ...], margin: int | None, reason: str) -> None:
    """说明各编号序列已用到几号，恢复编号和发证。 Say how far the numbers had got; they go on beyond."""
    service = prepared(from_environment())
    if not stated and margin is None:
        for name, number in series.known_numbers().items():
            click.echo(f"{name}={number}")
        click.echo(
            "以上是已知在用的最后编号 Known to be in use; state them with --last, or --margin.", err=True
        )
        sys.exit(2)
    if not reason.strip():
        raise FieldRefused(field="--reason")
    numbers = dict(_stated(text) for text in stated)
    gaps = series.confirm_gap(act_of(service, PUBLIC), numbers, reason.strip(), margin=margin)
    for gap in gaps:
        click.echo(f"{gap.series}   断号 gap {gap.first}–{gap.last}")
    series.require_continued()
    click.echo("已确认，编号继续。 Confirmed; numbers go on.")


def _stated(text: str) -> tuple[str, int]:
    """A series and its last number, from ``SERIES=NUMBER`` or from a number as it is printed.

    :raises FieldRefused: it is neither, or the check digit is wrong.
    """
    printed = re.fullmatch(r"([0-9]{6})-([0-9]{4})-([0-9]{6})-[0-9]", text)
    if printed and certificate_number(printed[1], int(printed[2]), int(printed[3])) == text:
        return f"certificate/{printed[1]}/{printed[2]}", int(printed[3])
    named = re.fullmatch(r"([a-z_]+(?:/[0-9a-f-]+)*)=([0-9]{1,9})", text)
    if named is None:
        raise FieldRefused(field="--last")
    return named[1], int(named[2])

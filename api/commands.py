"""The command line: ``skills-registry serve``, ``demo``, ``migrate``, ``keys``, ``verify``, ``pdf`` and more.

Commands answer in Chinese first; what goes wrong is one sentence with its remedy and exit status 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from api import backup_commands, lifecycles, safeguard_commands
from api.callers import act_of, utc_now
from api.command_line import migrated, prepared, told_plainly
from api.demo_commands import DEMO_NOTE, demo_code_command
from api.settings import from_environment
from skills_registry import __version__, accounts
from skills_registry.accounts import credentials
from skills_registry.foundation import audit
from skills_registry.foundation.acts import PUBLIC, ROLES, SHANGHAI
from skills_registry.foundation.errors import Unavailable
from skills_registry.foundation.identifiers import division_name
from skills_registry.foundation.storage import database, open_database, require_found


def filled(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """An option that must not be blank."""
    if not value.strip():
        raise click.BadParameter("不能为空 must not be empty")
    return value.strip()


def division(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """An option that is the code of a division that exists."""
    if division_name(value) is None:
        raise click.BadParameter("不是已知的行政区划代码 no known division code")
    return value


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """技能登记平台 Skills Registry: training, listed bases and verifiable certificates."""


@main.command("migrate")
@told_plainly
def migrate_command() -> None:
    """升级数据库结构。 Bring the database to the newest schema."""
    settings = from_environment()
    open_database(settings.database_url)
    applied = migrated(settings)
    click.echo("\n".join(applied) or "已是最新。 Nothing to do.")


@main.command("init")
@told_plainly
def init_command() -> None:
    """初始化：建库、密钥文件和签名密钥。 Set up a new registry: schema, secrets file, signing key."""
    from certificates import signing

    service = prepared(from_environment())
    if not any(key.not_after is None for key in service.key_ring()):
        today = act_of(service, PUBLIC).today
        signing.create_key(service.settings.keys_directory, service.vault.signing_passphrase, on=today)
    click.echo("已就绪。 Ready. 请备份密钥文件 Back up: " + str(service.settings.secrets_file))


@main.command("demo")
@told_plainly
def demo_command() -> None:
    """填入演示数据（仅限空库）。 Fill an empty database with a believable city."""
    from api import demo
    from certificates import signing

    settings = from_environment()
    service = prepared(settings)
    note = settings.secrets_file.parent / DEMO_NOTE
    if demo.is_empty():
        click.echo("正在生成演示数据…… Filling the demonstration city …")
        signing.create_key(settings.keys_directory, service.vault.signing_passphrase, on=demo.FIRST_DAY)
        demo.fill(service, note)
    if not note.exists():
        click.echo("数据库中已有数据，保持不变。 The database holds data already; it was left as it is.")
        return
    told = json.loads(note.read_text(encoding="utf-8"))
    click.echo(demo.greeting(settings.public_url, told))


main.add_command(demo_code_command)


@main.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--threads", default=4, show_default=True, help="每个进程同时处理的请求数 requests at once")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="多于一个须设 REDIS_URL"
)
@told_plainly
def serve_command(host: str, port: int, threads: int, processes: int) -> None:
    """启动服务。 Serve with a production server (granian)."""
    from api import serving

    serving.serve(prepared(from_environment()), host, port, threads=threads, processes=processes)


@main.group("keys")
def keys_group() -> None:
    """签名密钥。 Signing keys."""


@keys_group.command("create")
@told_plainly
def create_key_command() -> None:
    """创建新的签名密钥，今后用它签发。 Make a new signing key; it signs from now on."""
    from certificates import signing

    service = prepared(from_environment())
    today = act_of(service, PUBLIC).today
    key = signing.create_key(service.settings.keys_directory, service.vault.signing_passphrase, on=today)
    click.echo(f"{key.id.hex()}  {key.algorithm}  {key.not_before} →")


@keys_group.command("list")
@told_plainly
def list_keys_command() -> None:
    """列出签名密钥。 List the signing keys with their periods."""
    service = prepared(from_environment())
    for key in service.key_ring():
        state = f"已停用 retired {key.not_after}" if key.not_after else "使用中 in use"
        click.echo(f"{key.id.hex()}  {key.algorithm}  {key.not_before} →  {state}")


@keys_group.command("retire")
@click.argument("key_id")
@told_plainly
def retire_key_command(key_id: str) -> None:
    """停用密钥：不再签发，仍可验证旧证书。 Retire a key: it never signs again, and goes on verifying."""
    from certificates import signing

    service = prepared(from_environment())
    try:
        raw = bytes.fromhex(key_id)
    except ValueError:
        raise click.BadParameter("八位十六进制编号 eight hexadecimal digits, see: keys list") from None
    key = signing.retire_key(service.settings.keys_directory, raw, on=act_of(service, PUBLIC).today)
    click.echo(f"{key.id.hex()}  {key.not_before} → {key.not_after}")


@main.group("accounts")
def accounts_group() -> None:
    """账号与接口密钥。 Accounts and API keys."""


@accounts_group.command("create")
@click.option("--organisation", required=True, callback=filled, help="单位名称 name of the organisation")
@click.option("--division", required=True, callback=division, help="行政区划代码 GB/T 2260, e.g. 630202")
@click.option("--operator", required=True, callback=filled, help="经办人 the natural person's name at work")
@click.option("--role", required=True, type=click.Choice([role for role in ROLES if role != "public"]))
@click.option("--days", default=365, show_default=True, help="密钥有效天数 days that the key is good for")
@told_plainly
def create_account_command(organisation: str, division: str, operator: str, role: Any, days: int) -> None:
    """开通账号并显示密钥（只显示一次）。 Open an account and show its key, this once."""
    service = prepared(from_environment())
    kind = "base" if role == "base_clerk" else "federation"
    with database.atomic():
        place = accounts.find_or_register_organisation(organisation, kind, division)
        person = accounts.find_or_register_operator(operator)
        account = accounts.register_account(act_of(service, PUBLIC), person, place, role)
        key = accounts.issue_key(act_of(service, PUBLIC), account, days=days)
    click.echo(f"{account.id}\n{key}")


@accounts_group.command("invite")
@click.argument("account_id")
@told_plainly
def invite_command(account_id: str) -> None:
    """生成邀请链接，本人用它设置登录方式。 Make a link, good once, to set up how a person signs in."""
    service = prepared(from_environment())
    account = require_found(accounts.Account, account_id)
    secret = credentials.invite(act_of(service, PUBLIC), account)
    click.echo(f"{service.settings.public_url}/sign-in/invitation/{secret}")


@accounts_group.command("list")
@told_plainly
def list_accounts_command() -> None:
    """列出账号。 List accounts with the prefixes of their keys."""
    prepared(from_environment())
    for account in accounts.Account.select().order_by(accounts.Account.id):
        prefixes = " ".join(key.prefix for key in account.keys if key.revoked_at is None)
        click.echo(
            f"{account.id}  {account.role:15} {account.organisation.name}  {account.operator.label}  {prefixes}"
        )


@accounts_group.command("revoke-key")
@click.argument("prefix")
@told_plainly
def revoke_key_command(prefix: str) -> None:
    """停用接口密钥。 Revoke an API key by its prefix."""
    service = prepared(from_environment())
    done = accounts.revoke_key(act_of(service, PUBLIC), prefix)
    click.echo("已停用 revoked" if done else "没有这个有效密钥 no such key in force")


@main.command("verify")
@click.argument("what")
@click.option(
    "--keys",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="离线验证：已保存的公钥文件 offline, with a saved key file",
)
@click.option("--name", default="", help="核对姓名（仅联机） check the holder's name, online only")
@told_plainly
def verify_command(what: str, key_file: Path | None, name: str) -> None:
    """验证：WHAT 是扫码所得文字、图片或 PDF。 Verify a scanned text, an image or a PDF."""
    from api import verify_offline

    service = None if key_file else prepared(from_environment())
    verdicts = verify_offline.verdicts(what, service, key_file, utc_now().astimezone(SHANGHAI).date(), name)
    click.echo("\n\n".join(verify_offline.told(verdict) for verdict in verdicts))
    sys.exit(0 if all(verdict.verdict.code in ("valid", "authentic") for verdict in verdicts) else 2)


@main.command("pdf")
@click.argument("number")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="默认 NUMBER.pdf")
@told_plainly
def pdf_command(number: str, out: Path | None) -> None:
    """把一份证书或挂牌证书绘制成 PDF。 Draw a certificate or plaque as PDF."""
    from api.certificates import verify_url_for
    from certificates import document
    from skills_registry.certification import certificates, plaques

    service = prepared(from_environment())
    plaque = plaques.find_by_number(number)
    paper = plaque or certificates.require_number(number)
    printed = plaques.printed_of(plaque) if plaque else certificates.printed_of(service.vault, paper)
    content = document.draw(printed, verify_url_for(service, paper))
    target = out or Path(f"{paper.number}.pdf")
    target.write_bytes(content)
    click.echo(str(target))


@main.command("check")
@told_plainly
def check_command() -> None:
    """核对登记册：重新推导每一份证书，核对每一行。 Derive every certificate again, and compare every row."""
    from api.audit_commands import tampered
    from api.check import check
    from skills_registry.certification.certificates import Certificate

    service = prepared(from_environment())
    findings = [*check(service), *tampered()]
    click.echo(
        "\n".join(str(finding) for finding in findings) or "登记册无误。 The register is what it says."
    )
    click.echo(f"证书 certificates: {Certificate.select().count()}   问题 findings: {len(findings)}")
    sys.exit(1 if findings else 0)


@main.group("audit")
def audit_group() -> None:
    """审计链。 The audit chain."""


@audit_group.command("check")
@click.option("--head", default="", help="此前留存的锚点 a head put aside, as audit head prints it")
@told_plainly
def check_audit_command(head: str) -> None:
    """核对审计链和每一行数据。 Compare the chain and every row with what the registry wrote."""
    from api.audit_commands import tampered, told

    prepared(from_environment())
    found = tampered(head)
    click.echo(told(found))
    sys.exit(1 if found else 0)


@audit_group.command("head")
@told_plainly
def audit_head_command() -> None:
    """打印审计链的末端，请另行保存。 Print the end of the chain; put it aside, away from the database."""
    prepared(from_environment())
    click.echo(str(audit.head()))


@main.group("resources")
def resources_group() -> None:
    """线上培训资源。 Online training resources."""


@resources_group.command("check-links")
@click.option(
    "--at-once", type=click.IntRange(1, 32), default=8, show_default=True, help="同时检查的网站 sites at once"
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 120),
    default=15,
    show_default=True,
    help="每个链接最多等待 most for a link",
)
@told_plainly
def check_links_command(at_once: int, seconds: int) -> None:
    """检查链接能否打开，记下结果和日期（可每周定时运行）。 See whether links open; good to run every week."""
    from api import links
    from skills_registry import resources

    service = prepared(from_environment())
    agent = f"SkillsRegistry-LinkCheck/{__version__} (+{service.settings.public_url})"
    probe = links.LinkProbe(agent=agent, seconds=seconds, at_once=at_once)
    findings = list(links.look_at_all(probe, resources.to_check()))
    if links.nobody_answers(findings):
        raise Unavailable(
            what="没有一个网站有响应，检查结果未记录 (not one site answered; nothing was recorded)",
            remedy="检查本机能否访问互联网 (check that this machine reaches the internet)",
        )
    for resource, found in findings:
        resources.record_check(act_of(service, PUBLIC), resource, found)
        if found.outcome != "alive":
            click.echo(f"{resource.id}  {' '.join(resources.OUTCOMES[found.outcome])}  {resource.url}")
    failed = sum(found.outcome != "alive" for _, found in findings)
    click.echo(f"链接 links: {len(findings)}   需处理 to look at: {failed}")


@main.command("lifecycles")
@told_plainly
def lifecycles_command() -> None:
    """打印状态表（docs/lifecycles.md）。 Print the lifecycle tables as diagrams."""
    click.echo(lifecycles.printed(), nl=False)


main.add_command(backup_commands.backup_command)
main.add_command(backup_commands.restore_group)
main.add_command(safeguard_commands.field_keys_group)
main.add_command(safeguard_commands.retention_command)
main.add_command(safeguard_commands.privacy_note_command)


if __name__ == "__main__":
    main()

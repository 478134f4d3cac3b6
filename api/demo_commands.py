"""``skills-registry demo-code``: what the phone of an invented person would show."""

from __future__ import annotations

import json

import click

from api.callers import utc_now
from api.settings import from_environment

#: Where the demonstration keeps its keys and addresses, beside the secrets.
DEMO_NOTE = "demo.json"


@click.command("demo-code")
@click.argument("name")
def demo_code_command(name: str) -> None:
    """显示演示账号当前的动态验证码。 Print the present code of a demonstration account (NAME as listed by demo)."""
    from api.demo.sign_in import code_at

    note = from_environment().secrets_file.parent / DEMO_NOTE
    held = json.loads(note.read_text(encoding="utf-8")).get("sign_in", {}) if note.exists() else {}
    if name not in held:
        known = "、".join(held) or "没有，只有演示库才有 none: this is no demonstration"
        raise click.ClickException(f"没有这个演示登录名 no such name. 可用 known: {known}")
    click.echo(code_at(held[name]["key"], utc_now()))

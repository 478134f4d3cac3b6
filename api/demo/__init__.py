"""A believable city to try things on: bases in every standing, classes at every stage, some hundred people.

Everybody in it is invented: citizen IDs carry serials 995–999, which were never assigned. Everything
goes the way that real data goes, sheets and confirmations included, under a clock of its own: the
dates of the demonstration do not depend on the day on which it is started.

    plan         what the city is to hold
    city         people, bases listed on paper, classes
    admissions   bases that apply: submitted, under review, in public notice, refused, listed
    sign_in      how the demonstration's people sign in
    standings    rectification, suspension, delisting with an appeal, voluntary exit, expiry, a yearly evaluation
    training     projects on notice and announced, a class told session by session, its follow-up
    offers       online resources, a skills competition with awards
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from api.callers import act_of
from api.certificates import verify_url_for
from api.demo.admissions import apply_all
from api.demo.city import EXPERTS, FIRST_DAY, City
from api.demo.offers import offer_all
from api.demo.sign_in import PASSWORD, set_up
from api.demo.standings import settle_all
from api.demo.training import train_all
from api.services import Services
from skills_registry import accounts
from skills_registry.accounts import Organisation
from skills_registry.foundation.acts import ROLES

__all__ = ["FIRST_DAY", "City", "fill", "greeting", "is_empty"]

KEY_DAYS = 3650


def is_empty() -> bool:
    """Whether the database holds nobody's data yet."""
    return not Organisation.select().exists()


def fill(service: Services, note: Path) -> dict[str, Any]:
    """Fill an empty database and write the keys and addresses to ``note`` (mode 0600)."""
    city = City(service)
    city.fill()
    apply_all(city)
    settle_all(city)
    trained = train_all(city)
    offer_all(city)
    clerk_base = city.bases[0]
    opened = next(c for c in city.issued if c.base_id == clerk_base.id)
    now = act_of(service, accounts.as_caller(city.accounts["630200", "admin"]))
    holders = {
        "base_clerk": city.accounts[clerk_base.name, "base_clerk"],
        "county_officer": city.accounts[clerk_base.division_code, "county_officer"],
        "city_officer": city.accounts["630200", "city_officer"],
        "auditor": city.accounts["630200", "auditor"],
        "admin": city.accounts["630200", "admin"],
        "expert": city.accounts[EXPERTS[-1], "expert"],
    }
    plaque = next(p for p in city.plaques if p.base_id == clerk_base.id)
    told = {
        "keys": {role: accounts.issue_key(now, account, days=KEY_DAYS) for role, account in holders.items()},
        "sign_in": set_up(now, holders),
        "verify_url": verify_url_for(service, opened),
        "certificate_number": opened.number,
        "class_id": str(opened.training_class_id),
        "revoked_url": verify_url_for(service, next(c for c in city.issued if c.status == "revoked")),
        "plaque_url": verify_url_for(service, plaque),
        "base_id": str(clerk_base.id),
        "filed_class_id": str(trained.id),
        "expired_url": verify_url_for(service, next(c for c in city.issued if c.expires_on)),
    }
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch(mode=0o600)
    note.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return told


def greeting(public_url: str, told: dict[str, Any]) -> str:
    """What to try, for the person who started the demonstration."""
    keys = "\n".join(f"  {role:15} {key}" for role, key in told["keys"].items())
    names = "\n".join(
        f"  {name:10} {ROLES[one['role']][0]} {ROLES[one['role']][1]}   验证器密钥 key {one['key']}"
        for name, one in told.get("sign_in", {}).items()
    )
    return f"""\
技能登记平台演示数据已就绪 The demonstration city is ready
  首页 start page      {public_url}/
  接口文档 API docs     {public_url}/docs
  有效证书 valid        {told["verify_url"]}
  已撤销 revoked        {told["revoked_url"]}
  已过期 expired        {told["expired_url"]}
  挂牌证书 plaque       {told["plaque_url"]}
  基地名录 directory    {public_url}/bases
  公示 notices          {public_url}/notices
  培训项目 projects     {public_url}/projects
  线上资源 resources    {public_url}/resources
  技能竞赛 competitions {public_url}/competitions
  班级档案 class file   {public_url}/api/v1/classes/{told["filed_class_id"]}/file?reason=demo
  按编号查验 by number   {public_url}/verify   编号 number {told["certificate_number"]}
登录工作台 sign in     {public_url}/console
  密码 password         {PASSWORD}（都一样 the same for all）
  动态验证码 code        .venv/bin/skills-registry demo-code NAME（每30秒一变，用过即失效 new every 30 s, good once）
{names}
密钥 keys (var/demo.json)
{keys}
"""

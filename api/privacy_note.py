"""The data-protection note: every field of every table, printed for docs/privacy.md and held to the tables by a test.

Purpose, legal basis and retention stand in the policy by group of tables; here stands which fields are
personal, and who sees each. What a field that is not named here is kept for, its group says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from peewee import Field, Model

from skills_registry.foundation import rotation
from skills_registry.foundation.acts import ROLES
from skills_registry.foundation.audit import AuditEntry, RowSeal
from skills_registry.foundation.policy import Policy
from skills_registry.foundation.seals import sealed_tables
from skills_registry.foundation.series import Series
from skills_registry.foundation.storage import BytesField, SealedField
from skills_registry.safeguards import Purpose, purposes

_BASE, _COUNTY, _CITY, _AUDITOR = "base_clerk", "county_officer", "city_officer", "auditor"
_SERVING = (_COUNTY, _CITY)
_TRAINING = (_BASE, *_SERVING, _AUDITOR)

#: Personal fields: what each is, and which roles see it, each within the own business. Sealed ones must stand here.
PERSONAL: dict[str, tuple[str, tuple[str, ...]]] = {
    "person.citizen_id": ("公民身份号码；只显示后四位，完整号码须单独查看并写明理由", _TRAINING),
    "person.name": ("首次登记的姓名", _SERVING),
    "person.disability_card": ("残疾人证号；仅在交本人的档案中完整显示", _SERVING),
    "person.sex": ("性别", _SERVING),
    "residence.division_code": ("常住地，到县（区）", _SERVING),
    "correction_request.old_value": ("更正前的内容；查看须写明理由", _SERVING),
    "correction_request.new_value": ("更正后的内容；查看须写明理由", _SERVING),
    "erasure.asked_by": ("由本人还是监护人申请", _SERVING),
    "enrolment.name": ("培训班登记的姓名", _TRAINING),
    "enrolment.phone": ("电话", (_BASE, *_SERVING)),
    "enrolment.particulars": ("民族、户籍、辅助需求等花名册内容；查看须写明理由", (_BASE, *_SERVING)),
    "enrolment.accommodations_given": ("提供的合理便利", (_BASE, *_SERVING)),
    "attendance.mark": ("出勤情况", _TRAINING),
    "result.hours": ("课时", _TRAINING),
    "result.scores": ("成绩", _TRAINING),
    "result.outcome": ("是否合格", _TRAINING),
    "consent.given_on": ("同意的日期", _TRAINING),
    "consent.means": ("同意的方式", _TRAINING),
    "examiner.name": ("考评员姓名", _TRAINING),
    "upload_row.content": ("上传表格的一行，原样；退回的行交还基地", (_BASE,)),
    "certificate.name": ("发证时的姓名；核验页不显示，只回答所填姓名是否相符", _TRAINING),
    "held_certificate.number": ("其他机构证书编号，有的用身份号码编号", _TRAINING),
    "held_certificate.issuer": ("发证机构", _TRAINING),
    "held_certificate.level": ("等级", _TRAINING),
    "employment.employer": ("用人单位；个体户即本人", _TRAINING),
    "employment.uscc": ("用人单位统一社会信用代码", _TRAINING),
    "employment.form": ("就业形式", _TRAINING),
    "service_entry.outcome": ("服务结果，文字", _SERVING),
    "service_entry.service": ("服务种类", _SERVING),
    "competition_entry.name": ("参赛姓名；公开须本人同意", (*_SERVING, _AUDITOR, "public")),
    "competition_entry.rank": ("名次", (*_SERVING, _AUDITOR, "public")),
    "entry_score.score": ("比赛成绩", (*_SERVING, _AUDITOR)),
    "objection.text": ("异议内容", _SERVING),
    "objection.contact": ("异议人的联系方式", _SERVING),
    "objection.answer": ("对异议的答复；凭回执可见", (*_SERVING, "public")),
    "base_file.legal_person": ("法定代表人姓名", (_BASE, *_SERVING, _AUDITOR, "expert")),
    "teacher.name": ("教师姓名", (_BASE, *_SERVING, _AUDITOR, "expert")),
    "submission.snapshot": ("申报时的基地档案；其中姓名加密", (_BASE, *_SERVING, _AUDITOR, "expert")),
    "operator.label": ("工作人员姓名", ("admin", _CITY, _AUDITOR)),
    "credential.login": ("登录名", ("admin",)),
    "credential.factor": ("动态口令的密钥", ()),
    "invitation.factor": ("动态口令的密钥；设置时只向本人显示", ()),
    "audit_entry.origin": ("操作时的网络地址", (_AUDITOR,)),
    "audit_entry.reason": ("操作理由，不得含个人信息", (_AUDITOR,)),
    "step.reason": ("操作理由，不得含个人信息", _TRAINING),
    "idempotency_key.answer": ("对请求的答复；只再发给原账号", ()),
}

#: Columns that no answer ever shows, by ending: blind indexes, hashes, seals, signatures.
_NEVER_SHOWN = ("_index", "seal", "password_hash")


def tables() -> dict[str, type[Model]]:
    """Every table that a room declares, by its name."""
    import api.app  # noqa: F401 - every room must be known

    declared = (*sealed_tables(), rotation.Resealing, AuditEntry, RowSeal, Series)
    return {table._meta.table_name: table for table in declared}


def seen_by(group: Purpose, table: str, column: Field) -> tuple[str, ...]:
    """The roles that see a field, each within the own business."""
    named = PERSONAL.get(f"{table}.{column.column_name}")
    if named is not None:
        return named[1]
    if isinstance(column, BytesField) or column.column_name.endswith(_NEVER_SHOWN):
        return ()
    return tuple(group.seen_by)


def kept_as(column: Field) -> str:
    """How a field lies in the database."""
    if isinstance(column, SealedField):
        return "加密 sealed"
    if column.column_name.endswith("_index"):
        return "盲索引 blind index"
    if isinstance(column, BytesField) or column.column_name.endswith((*_NEVER_SHOWN, "digest")):
        return "摘要或签名 hash or signature"
    return "明文 plain"


def printed(policy: Policy, on: date) -> str:
    """The table of every field, in Markdown, group by group, as the policy of that day has it."""
    known = tables()
    return "\n".join(line for group in purposes(policy, on) for line in _chapter(group, known))


def _chapter(group: Purpose, known: dict[str, type[Model]]) -> Iterator[str]:
    yield f"### {group.zh}"
    yield ""
    yield f"{group.en[0].upper()}{group.en[1:]}."
    yield ""
    yield "| 字段 field | 目的 purpose | 依据 basis | 保存 retention | 存放 kept as | 谁能看到 seen by |"
    yield "|---|---|---|---|---|---|"
    for name in group.tables:
        for column in known[name]._meta.sorted_fields:
            yield _row(group, name, column)
    yield ""


def _row(group: Purpose, table: str, column: Any) -> str:
    place = f"{table}.{column.column_name}"
    what = PERSONAL[place][0] if place in PERSONAL else group.zh
    who = "、".join(ROLES[role][0] for role in seen_by(group, table, column)) or "无人 nobody"
    mark = "**" if place in PERSONAL else ""
    return f"| {mark}`{place}`{mark} | {what} | {group.basis} | {group.keep_zh} | {kept_as(column)} | {who} |"

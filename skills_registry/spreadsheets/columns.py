"""Columns: what a table of ours has, told once for reading it, for its template and for its instructions."""

from __future__ import annotations

from dataclasses import dataclass

from skills_registry.foundation.identifiers import COUNTIES


@dataclass(frozen=True)
class Column:
    """One column: its field, its title, how to fill it in, and other titles that mean the same.

    ``required``: the header must have it (a template marks it with ``*``). ``choices`` are a drop-down that
    takes nothing else, or with ``strict=False`` offers them and takes other words too. ``length`` is the
    least and the most characters and a sentence, as a warning. ``text`` keeps digits from becoming figures.
    """

    field: str
    title: str
    how: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    choices: tuple[str, ...] = ()
    strict: bool = True
    length: tuple[int, int, str] | None = None
    text: bool = False
    width: int = 12


_DAY = "如2025-03-01。"

#: The columns of the empty roster; whatever else a sheet has is left alone.
ROSTER_COLUMNS: tuple[Column, ...] = (
    Column("serial", "序号", "从1开始的顺序号。"),
    Column(
        "name", "姓名", "与身份证完全一致；少数民族姓名用间隔号“·”，字与字之间不加空格。", required=True
    ),
    Column("sex", "性别", "男或女。", choices=("男", "女")),
    Column(
        "citizen_id", "公民身份号码", "18位，按文本填写；末位X大小写均可。",
        required=True, length=(18, 18, "公民身份号码为18位。"),
    ),
    Column(
        "disability_card", "残疾人证号",
        "20位（身份号码18位＋类别1位＋等级1位），补换证可另加1位或B和1位；没有可不填。",
        length=(20, 22, "残疾人证号为20位，补换证21或22位。"),
    ),
    Column(
        "card_issued_on", "残疾人证首次发证日期", _DAY + "换发新证的填第一次发证的日期。", text=True, width=20
    ),
    Column("phone", "联系电话", "11位手机号，或带区号的座机号。"),
    Column(
        "education", "文化程度", "从列表中选，或如实填写。", strict=False,
        choices=("未上过学", "小学", "初中", "高中", "中专（中职）", "大专", "本科", "研究生"),
    ),
    Column(
        "residence_division", "常住地区划", "本市县（区）从列表中选；外地填6位行政区划代码。", strict=False, width=20,
        choices=tuple(county.name for county in COUNTIES),
    ),
    Column("residence", "常住地址", "乡镇（街道）、村（社区）。", width=28),
    Column("guardian", "监护人", "有监护人或紧急联系人的填姓名。"),
    Column("guardian_phone", "监护人电话", "11位手机号，或带区号的座机号。", width=16),
    Column("wishes", "培训意愿", "想学的工种、希望的时间等。", width=20),
    Column(
        "accommodations", "辅助需求", "需要几项的用“、”隔开，可在列表外填写；不需要的填“无”或不填。",
        strict=False, width=24,
    ),
    Column(
        "consent_on", "知情同意日期",
        _DAY + "本人单独同意处理个人信息的日期，与方式一并填写；同意书可从系统下载打印。", text=True, width=14,
    ),
    Column("consent_means", "知情同意方式", "从列表中选；监护人代签的须填监护人姓名。", width=14),
    Column("remark", "备注", "其他需要说明的事项。"),
)  # fmt: skip

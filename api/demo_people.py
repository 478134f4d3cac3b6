"""Invented people and their sheets: believable names and numbers that were never assigned to anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from random import Random
from typing import Any

import xlsxwriter
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from skills_registry.foundation.identifiers.credit_codes import organisation_check_digit

# Numbers of people who were registered before 2013 keep the old prefecture's codes (DOMAIN §2.4).
_REGIONS = ("632123", "632121", "632122", "632126", "632127", "632128", "630202", "630222", "630223")
_SURNAMES = "马李王张韩冶祁东乔鲍星莫刁苏铁沈赵刘陈杨"
_GIVEN = {
    "男": [
        "国强",
        "建军",
        "占林",
        "生辉",
        "永福",
        "文海",
        "得宝",
        "启明",
        "晓东",
        "志远",
        "成林",
        "尕藏",
        "有才",
        "玉龙",
        "振华",
        "海峰",
    ],
    "女": [
        "春梅",
        "桂兰",
        "玉珍",
        "秀英",
        "海燕",
        "丽娟",
        "晓霞",
        "桂花",
        "文秀",
        "金花",
        "永芳",
        "雪莲",
        "月娥",
        "银花",
        "淑琴",
        "红梅",
    ],
}
_TIBETAN = ("才让·卓玛", "多杰·扎西", "索南·措", "仁青·当周")

#: Never assigned serials; odd for men, even for women.
_SERIALS = {"男": (995, 997, 999), "女": (996, 998)}


@dataclass(frozen=True)
class Learner:
    """One invented trainee."""

    name: str
    sex: str
    citizen_id: str
    disability_card: str
    phone: str


def people(chance: Random) -> Iterator[Learner]:
    """Invented people without end, no number twice."""
    seen = set()
    while True:
        sex = chance.choice("男女")
        born = date(1970, 1, 1) + timedelta(days=chance.randrange(35 * 365))
        body = f"{chance.choice(_REGIONS)}{born:%Y%m%d}{chance.choice(_SERIALS[sex])}"
        if body in seen:
            continue
        seen.add(body)
        citizen_id = body + mod_11_2.calc_check_digit(body)
        name = chance.choice(_SURNAMES) + chance.choice(_GIVEN[sex])
        yield Learner(
            name=chance.choice(_TIBETAN) if chance.random() < 0.04 else name,
            sex=sex,
            citizen_id=citizen_id,
            disability_card=f"{citizen_id}{chance.choice('1244')}{chance.randrange(1, 5)}",
            phone=f"139{chance.randrange(10**8):08d}",
        )


def credit_code(division_code: str, number: int) -> str:
    """The credit code of an invented private school (民办非企业单位) of that division."""
    organisation = f"DEM{number:05d}"
    body = f"52{division_code}{organisation}{organisation_check_digit(organisation)}"
    return body + str(uscc.calc_check_digit(body))


def roster(learners: Sequence[Learner]) -> bytes:
    """A roster as a base's office would write it (.xlsx)."""
    header = ("序号", "姓名", "性别", "公民身份号码", "残疾人证号", "联系电话", "备注")
    rows = [
        (number, one.name, one.sex, one.citizen_id, one.disability_card, one.phone, "")
        for number, one in enumerate(learners, 1)
    ]
    return _sheet("学员花名册", header, rows)


def results(learners: Sequence[Learner], hours: int, papers: Mapping[str, str]) -> bytes:
    """Their results: about one in ten fails, as in life."""
    chance = Random(len(learners) * 1000 + hours)  # nosec B311  # invented results, no secret
    header = (
        "序号",
        "姓名",
        "公民身份号码",
        "出勤课时",
        *(f"{name}成绩" for name in papers.values()),
        "备注",
    )
    rows = []
    for number, one in enumerate(learners, 1):
        lowest = 40 if number % 10 == 0 else 62
        scores = [chance.randrange(lowest, lowest + 15 if lowest < 60 else 99) for _ in papers]
        rows.append(
            (number, one.name, one.citizen_id, chance.randrange(int(hours * 0.85), hours + 1), *scores, "")
        )
    return _sheet("结业考核成绩表", header, rows)


def _sheet(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        sheet = workbook.add_worksheet("Sheet1")
        sheet.write(0, 0, title)
        sheet.write_row(1, 0, header)
        for number, row in enumerate(rows, 2):
            sheet.write_row(number, 0, row)
    return file.getvalue()

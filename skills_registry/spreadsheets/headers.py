"""Finding the header: which row holds the column names, and which column holds which field.

Offices name columns as they like, put titles above them and split them over two lines. The aliases
are one table; whatever a column is called beyond it is kept with the row and otherwise ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skills_registry.foundation.identifiers.folding import BLANKS, INVISIBLE, fold_width
from skills_registry.foundation.problems import FIELD_NAMES
from skills_registry.spreadsheets.columns import Column
from skills_registry.spreadsheets.grids import Cell, Grid, is_blank
from skills_registry.spreadsheets.refusals import refusal

#: The title of the column that a refused-rows workbook adds; reading ignores it.
REFUSAL_REASON = "退回原因"

#: Field → what its column is called, as offices write it (DOMAIN §5.2); the first is our own name.
ALIASES: dict[str, tuple[str, ...]] = {
    "serial": ("序号", "编号", "序", "号", "No.", "No"),
    "name": (
        "姓名", "学员姓名", "学员名", "学员", "名字", "人员姓名", "参训学员姓名", "参训人员姓名", "培训人员姓名",
        "考生姓名", "残疾人姓名", "name",
    ),
    "citizen_id": (
        "公民身份号码", "公民身份证号", "公民身份证号码", "身份证号", "身份证号码", "身份证", "身份号码",
        "身份证件号", "身份证件号码", "证件号", "证件号码", "有效证件号码", "居民身份证号", "居民身份证号码",
        "二代身份证号", "二代身份证号码", "学员身份证号", "学员身份证号码", "本人身份证号", "本人身份证号码",
        "citizen id",
    ),
    "disability_card": (
        "残疾人证号", "残疾人证号码", "残疾证号", "残疾证号码", "残疾人证", "残疾证", "残疾人证编号", "残疾证编号",
        "残疾人证件号", "残疾人证件号码", "disability card",
    ),
    "sex": ("性别", "sex"),
    "birth_date": ("出生日期", "出生年月", "出生年月日", "生日"),
    "phone": (
        "联系电话", "手机号", "手机号码", "手机", "电话", "电话号码", "联系方式", "联系手机", "联系手机号",
        "移动电话", "本人电话", "本人联系电话", "学员电话", "学员联系电话", "phone",
    ),
    "education": (
        "文化程度", "学历", "受教育程度", "文化水平", "最高学历", "最高文化程度", "教育程度", "学历层次", "文化",
        "学历/文化程度", "文化程度/学历", "education",
    ),
    "residence_division": (
        "常住地区划", "常住地址区划", "常住地行政区划", "常住地址行政区划", "常住地区划代码", "常住地", "常住区划",
        "常住县区", "常住区县", "常住地所在县区", "现居住地区划", "居住地区划", "居住县区", "所在县区", "所在区县",
        "所属县区", "所属区县", "县区", "区县", "residence division",
    ),
    "residence": (
        "常住地址", "家庭住址", "家庭地址", "家庭详细住址", "家庭详细地址", "常住详细地址", "现住址", "现住地址",
        "现居住地", "现居住地址", "现家庭住址", "居住地址", "居住地", "经常居住地", "住址", "地址", "详细地址",
        "详细住址", "address",
    ),
    "guardian": (
        "监护人", "监护人姓名", "法定监护人", "法定监护人姓名", "监护人/联系人", "监护人或联系人", "监护人联系人",
        "监护人/联系人姓名", "家属姓名", "家长姓名", "联系人", "联系人姓名", "紧急联系人", "紧急联系人姓名", "guardian",
    ),
    "guardian_phone": (
        "监护人电话", "监护人联系电话", "监护人电话号码", "监护人联系方式", "监护人手机", "监护人手机号",
        "监护人手机号码", "监护人/联系人电话", "监护人/联系人联系电话", "监护人联系人电话", "家属电话", "家属联系电话",
        "家长电话", "家长联系电话", "联系人电话", "联系人联系电话", "联系人手机", "联系人手机号", "紧急联系人电话",
        "紧急联系人联系电话", "紧急联系电话", "guardian phone",
    ),
    "guardian_contact": (
        "监护人及电话", "监护人及联系电话", "监护人及联系方式", "监护人姓名及电话", "监护人姓名及联系电话",
        "监护人/联系人及电话", "监护人/联系人及联系电话", "监护人或联系人及电话", "监护人联系人及电话", "监护人和电话",
        "监护人、电话", "监护人/电话", "联系人及电话", "联系人及联系电话", "联系人/电话", "紧急联系人及电话",
        "紧急联系人及联系电话", "家属及电话", "家属及联系电话",
    ),
    "wishes": (
        "培训意愿", "培训意向", "培训需求", "参训意愿", "意愿培训项目", "意向培训项目", "意向培训工种", "培训意愿工种",
        "意向工种", "想学技能", "想学的技能", "希望学习的技能", "就业意愿", "就业意向", "就业培训意愿", "training wishes",
    ),
    "accommodations": (
        "辅助需求", "辅助需要", "辅助服务", "辅助服务需求", "辅助支持需求", "所需辅助", "合理便利", "合理便利需求",
        "便利需求", "便利服务需求", "需提供的便利", "需要提供的便利", "无障碍需求", "无障碍服务需求", "无障碍服务",
        "沟通辅助", "沟通辅助需求", "支持需求", "支持服务需求", "所需支持", "服务需求", "特殊需求", "特殊需要",
        "个性化需求", "accommodations needed",
    ),
    "card_issued_on": (
        "残疾人证首次发证日期", "残疾人证首次发证时间", "残疾人证首次办证日期", "残疾人证首次办证时间",
        "残疾人证首次领证日期", "残疾证首次发证日期", "残疾证首次发证时间", "残疾证首次办证日期", "残疾证首次办证时间",
        "首次发证日期", "首次发证时间", "首次办证日期", "首次办证时间", "首次领证日期", "首次领证时间", "首次持证日期",
        "首次持证时间", "初次发证日期", "初次办证日期", "初次办证时间", "残疾人证初次发证日期", "残疾人证发证日期",
        "残疾人证发证时间", "残疾人证办证日期", "残疾人证办理时间", "残疾证发证日期", "残疾证发证时间", "残疾证办证日期",
        "残疾证办理时间", "发证日期残疾人证", "card first issued on",
    ),
    "consent_on": (
        "知情同意日期", "知情同意时间", "知情同意书日期", "知情同意书签署日期", "知情同意书签订日期", "知情同意书签字日期",
        "知情同意签署日期", "知情同意", "知情同意书", "是否知情同意", "是否签署知情同意书", "是否签订知情同意书",
        "同意日期", "同意书日期", "同意书签署日期", "个人信息知情同意", "个人信息同意日期", "个人信息处理同意日期",
        "个人信息授权日期", "个人信息授权", "授权日期", "授权书日期", "授权书签署日期", "签署日期", "签字日期", "签名日期",
        "consent given on",
    ),
    "consent_means": (
        "知情同意方式", "知情同意书签署方式", "知情同意签署方式", "同意方式", "同意书签署方式", "个人信息同意方式", "授权方式",
        "签署方式", "签字方式", "签名方式", "确认方式", "consent means",
    ),
    "remark": ("备注", "备注说明", "remark"),
    "hours": (
        "出勤课时", "出勤学时", "实际课时", "实际学时", "出勤课时数", "出勤学时数", "实际出勤课时",
        "实际出勤学时", "参训课时", "参训学时", "完成课时", "完成学时", "实到课时", "实到学时",
        "累计出勤课时", "累计出勤学时", "hours attended",
    ),
    "verdict": (
        "是否合格", "考核结果", "结论", "考核结论", "是否通过", "是否及格", "合格与否", "合格情况", "结业结论",
        "培训结果", "考试结果", "评定结果", "鉴定结果", "结果", "pass or fail",
    ),
}  # fmt: skip

#: What the two usual papers are called, beside the name that the class gives them.
_USUAL_PAPERS: dict[str, tuple[str, ...]] = {
    "theory": ("理论", "理论知识", "笔试", "理论考核", "理论知识考试"),
    "practice": (
        "实操", "技能", "操作", "操作技能", "技能操作", "实际操作", "实作", "实训", "实操考核", "技能考核", "操作考核",
    ),
}  # fmt: skip
_PAPER_ENDINGS = ("", "成绩", "分数", "得分", "考试", "考核", "考试成绩", "考核成绩")
_PAPER_ENDING = re.compile("(?:考试|考核)?(?:成绩|分数|得分)$")

#: Without these a roster is none; a results sheet also needs the hours and the papers (DESIGN §5).
_ALWAYS_REQUIRED = ("name", "citizen_id")
_OPTIONAL = frozenset(
    {
        "serial", "phone", "education", "remark", "sex", "birth_date", "residence_division", "residence",
        "guardian", "guardian_phone", "guardian_contact", "wishes", "accommodations", "card_issued_on",
        "consent_on", "consent_means",
    }
)  # fmt: skip

_ROWS_LOOKED_AT = 20
_NOISE = str.maketrans("", "", BLANKS + INVISIBLE + "*※★●#:：_\"'“”")
_BRACKETS = re.compile(r"[(\[【〔{].*?[)\]】〕}]")
_BRACKET_SIGNS = str.maketrans("", "", "()[]【】〔〕{}")


@dataclass(frozen=True)
class Header:
    """A header found: ``row`` as Excel shows it, ``columns`` from field to column (from zero)."""

    row: int
    titles: tuple[str, ...]
    columns: Mapping[str, int]
    twice: tuple[str, ...]
    data_from: int


@dataclass(frozen=True)
class Vocabulary:
    """Which titles mean which field on this kind of sheet, and which fields it must have.

    ``identifying`` fields tell a row from the second line of a header; ``repeatable`` ones may stand
    in several columns, of which the first counts.
    """

    fields: Mapping[str, str]
    labels: Mapping[str, str]
    required: tuple[str, ...]
    identifying: tuple[str, ...] = _ALWAYS_REQUIRED
    repeatable: frozenset[str] = _OPTIONAL

    def field_of(self, cell: Cell) -> str:
        """The field that a title names, or an empty text. Brackets count first, then are left out."""
        if not isinstance(cell, str):
            return ""
        title = _folded(cell)
        whole = self.fields.get(title.translate(_BRACKET_SIGNS), "")
        return whole or self.fields.get(_BRACKETS.sub("", title), "")

    def name_columns(self, fields: Sequence[str]) -> str:
        """The Chinese names of fields, for a sentence."""
        return "、".join(self.labels[field] for field in fields)


def vocabulary(papers: Mapping[str, str]) -> Vocabulary:
    """The vocabulary of a roster, or of a results sheet when the class's ``papers`` are given.

    ``papers`` maps a paper's code, which becomes its field, to the name that the class gives it.
    """
    fields = {_folded(alias): field for field, aliases in ALIASES.items() for alias in aliases}
    for code, label in papers.items():
        stem = _PAPER_ENDING.sub("", label) or label
        for name in (label, stem, *_USUAL_PAPERS.get(code, ())):
            fields |= {_folded(name + ending): code for ending in _PAPER_ENDINGS}
    labels = {field: name for field, (name, _) in FIELD_NAMES.items()}
    labels |= {code: paper_title(label) for code, label in papers.items()}
    extra = ("hours", *papers) if papers else ()
    return Vocabulary(fields, labels, (*_ALWAYS_REQUIRED, *extra))


def table_vocabulary(columns: Sequence[Column]) -> Vocabulary:
    """The vocabulary of a table of these columns, of which none may stand twice."""
    fields = {_folded(title): column.field for column in columns for title in (*column.aliases, column.title)}
    required = tuple(column.field for column in columns if column.required)
    labels = {column.field: column.title for column in columns}
    return Vocabulary(fields, labels, required, identifying=required, repeatable=frozenset())


def paper_title(label: str) -> str:
    """A paper's column title: 理论 → 理论成绩."""
    return label if _PAPER_ENDING.search(label) else f"{label}成绩"


def can_be_read_back(papers: Mapping[str, str]) -> bool:
    """Whether a results sheet with these papers has one meaning for each of its columns."""
    words = vocabulary(papers)
    usual = {
        "姓名": "name",
        "公民身份号码": "citizen_id",
        "出勤课时": "hours",
        "是否合格": "verdict",
        "备注": "remark",
    }
    titles = [paper_title(label) for label in papers.values()]
    wanted = usual | dict(zip(titles, papers, strict=True))
    distinct = (
        len(set(titles)) == len(papers) and not set(titles) & set(usual) and not set(papers) & set(ALIASES)
    )
    return distinct and all(words.field_of(title) == field for title, field in wanted.items())


def find_header(grids: Sequence[Grid], words: Vocabulary) -> tuple[Grid, Header]:
    """The first worksheet with a complete header, and that header.

    :raises FileRefused: no worksheet has one; the sentence names what is missing.
    """
    best: tuple[int, Grid, Header] | None = None
    for grid in grids:
        for index in range(min(_ROWS_LOOKED_AT, len(grid.rows))):
            header = _header_at(grid, index, words)
            found = sum(field in header.columns for field in words.required)
            if found == len(words.required):
                _require_unambiguous(header, words)
                return grid, header
            if found and (best is None or found > best[0]):
                best = (found, grid, header)
    if best is None:
        raise refusal("header_not_found", rows=_ROWS_LOOKED_AT, columns=words.name_columns(words.required))
    require_columns(best[2].columns, words.required, words)
    return best[1], best[2]


def require_columns(columns: Mapping[str, int], fields: Sequence[str], words: Vocabulary) -> None:
    """:raises FileRefused: a field has no column; the sentence names all that are missing."""
    missing = [field for field in fields if field not in columns]
    if missing:
        raise refusal("columns_missing", columns=words.name_columns(missing))


def _require_unambiguous(header: Header, words: Vocabulary) -> None:
    for field in header.twice:
        if field not in words.repeatable:
            raise refusal("column_ambiguous", column=words.name_columns([field]))


def _header_at(grid: Grid, index: int, words: Vocabulary) -> Header:
    number, cells = grid.rows[index]
    columns, twice = _fields_in(cells, words)
    titles = [_title(cell) for cell in cells]
    data_from = index + 1
    below = grid.rows[index + 1] if index + 1 < len(grid.rows) else (0, [])
    if (
        columns
        and below[0] == number + 1
        and all(_is_empty_at(below[1], columns.get(f)) for f in words.identifying)
    ):
        second, _ = _fields_in(_under_groups(cells, below[1], words), words)
        new = {f: c for f, c in second.items() if f not in columns and c not in columns.values()}
        if new:
            columns |= new
            titles += [""] * (len(below[1]) - len(titles))
            for column in new.values():
                titles[column] = _title(below[1][column])
            data_from += 1
    return Header(number, tuple(titles), columns, tuple(twice), data_from)


def _under_groups(cells: Sequence[Cell], below: Sequence[Cell], words: Vocabulary) -> list[Cell]:
    """The second line with each title under a group named for it: 电话 below 监护人 is 监护人电话."""
    named: list[Cell] = []
    group = ""
    for column, cell in enumerate(below):
        above = cells[column] if column < len(cells) else None
        group = group if is_blank(above) else _title(above)
        whole = group + _title(cell) if not is_blank(cell) else ""
        named.append(whole if words.field_of(whole) else cell)
    return named


def _fields_in(cells: Sequence[Cell], words: Vocabulary) -> tuple[dict[str, int], list[str]]:
    """Field → its first column, and the fields that stand in more than one."""
    columns: dict[str, int] = {}
    twice = []
    for column, cell in enumerate(cells):
        field = words.field_of(cell)
        if field and field in columns:
            twice.append(field)
        elif field:
            columns[field] = column
    return columns, twice


def _is_empty_at(cells: Sequence[Cell], column: int | None) -> bool:
    return column is None or column >= len(cells) or is_blank(cells[column])


def _title(cell: Cell) -> str:
    return "" if cell is None else str(cell).strip()


def _folded(title: str) -> str:
    return fold_width(title).translate(_NOISE).lower()

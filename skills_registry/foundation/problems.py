"""What can be wrong with one row of a sheet: the one list of codes, severities and sentences.

An error refuses its row, a warning does not. Sentences name the remedy and never repeat what
the person entered: a message is shown, printed and logged, and the sheet holds personal data.
Callers rely on the codes (DESIGN §5); add, never rename.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Literal

from skills_registry.foundation import attendance_words, problem_words, roster_words, timetable_words

Severity = Literal["error", "warning"]

ERROR: Severity = "error"
WARNING: Severity = "warning"


@dataclass(frozen=True)
class Kind:
    """One entry of the catalogue; ``zh`` and ``en`` are templates over a problem's facts."""

    severity: Severity
    zh: str
    en: str


@dataclass(frozen=True)
class Problem:
    """One finding about one field of one row; facts hold limits and dates, never personal data."""

    code: str
    field: str
    facts: dict[str, str | int | float] = dataclass_field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return CATALOGUE[self.code].severity

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR

    def sentence(self, language: str = "zh") -> str:
        """The message in Chinese, or in English when ``language`` is ``"en"``."""
        kind = VARIANTS.get((self.code, str(self.facts.get("form", "")))) or CATALOGUE[self.code]
        name = FIELD_NAMES.get(self.field, (self.field, self.field))
        facts = {"field_zh": name[0], "field_en": name[1], **self.facts}
        return (kind.en if language == "en" else kind.zh).format(**facts)


#: What a field is called on paper: Chinese, English.
FIELD_NAMES: dict[str, tuple[str, str]] = {
    "name": ("姓名", "name"),
    "citizen_id": ("公民身份号码", "citizen ID number"),
    "disability_card": ("残疾人证号", "disability card number"),
    "sex": ("性别", "sex"),
    "birth_date": ("出生日期", "birth date"),
    "phone": ("联系电话", "phone"),
    "education": ("文化程度", "education"),
    "remark": ("备注", "remark"),
    "starts_on": ("开班日期", "first day"),
    "capacity": ("计划人数", "capacity"),
    "title": ("班级名称", "title"),
    "ends_on": ("结业日期", "last day"),
    "hours": ("出勤课时", "hours attended"),
    "theory": ("理论成绩", "theory score"),
    "practice": ("实操成绩", "practice score"),
    "verdict": ("是否合格", "pass or fail"),
    "occupation": ("职业（工种）", "occupation"),
    "uscc": ("统一社会信用代码", "unified social credit code"),
    "certificate_number": ("证书编号", "certificate number"),
}

CATALOGUE: dict[str, Kind] = {
    "missing": Kind(ERROR, "{field_zh}未填写，请补填。", "The {field_en} is empty; please fill it in."),
    "name_characters": Kind(
        ERROR,
        "姓名含有不能使用的字符（如公式符号、尖括号、控制符），请核对后只填姓名。",
        "The name has characters that cannot be used (formula signs, angle brackets, control characters).",
    ),
    "name_separator_normalised": Kind(
        WARNING, "姓名中的间隔号已统一为“·”。", "The separator in the name was changed to '·' (U+00B7)."
    ),
    "name_blanks_removed": Kind(
        WARNING, "姓名中的空格已去掉，请核对。", "Blanks inside the name were removed; please check."
    ),
    "name_too_long": Kind(
        ERROR, "姓名超过{limit}个字，请核对。", "The name is longer than {limit} characters; please check."
    ),
    "name_differs_from_record": Kind(
        WARNING,
        "该身份号码此前登记的姓名与本表不同，已转县（区）残联核实；请核对姓名。",
        "This ID is on record under another name; the county officer will check. Please check the name.",
    ),
    "name_not_printable": Kind(
        WARNING,
        "姓名中有系统字体暂时无法打印的字，发证前请联系市残联安装字体。",
        "The name has a character that no installed font can print; ask the city federation before issuing.",
    ),
    "id_length": Kind(
        ERROR,
        "公民身份号码应为18位，现为{length}位，请核对。",
        "A citizen ID number has 18 characters; this one has {length}.",
    ),
    "id_format": Kind(
        ERROR,
        "公民身份号码只能是17位数字加1位数字或X，请核对（常见错误：把0写成字母O）。",
        "A citizen ID number is 17 digits and a digit or X; look for a letter O in place of 0.",
    ),
    "id_checksum": Kind(
        ERROR,
        "公民身份号码的校验位不对，至少有一位写错，请对照身份证核对。",
        "The check digit is wrong: at least one digit is mistyped; compare with the ID card.",
    ),
    "id_birth_date": Kind(
        ERROR,
        "公民身份号码中的出生日期不存在或在将来，请对照身份证核对。",
        "The birth date inside the ID number is impossible or in the future; compare with the ID card.",
    ),
    "id_damaged_by_spreadsheet": Kind(
        ERROR,
        "身份号码已被表格软件改成数字，末几位丢失。请把该列设为“文本”格式后重新填写整个号码。",
        "The spreadsheet turned this number into a figure and lost its last digits. Format the column as text and type the number again.",
    ),
    "id_region_unknown": Kind(
        WARNING,
        "身份号码前6位不是已知的行政区划代码，请核对。",
        "The first six digits are no known division code; please check.",
    ),
    "sex_mismatch": Kind(
        WARNING, "性别与身份号码不一致，请核对。", "The sex differs from the ID number; please check."
    ),
    "birth_date_mismatch": Kind(
        WARNING,
        "出生日期与身份号码不一致，请核对。",
        "The birth date differs from the ID number; please check.",
    ),
    "outside_employment_age": Kind(
        WARNING,
        "开班当日不在就业年龄段（男{men_from}—{men_to}周岁，女{women_from}—{women_to}周岁）内，请核对。",
        "Outside the employment age on the first day of class (men {men_from}-{men_to}, women {women_from}-{women_to}).",
    ),
    "card_format": Kind(
        ERROR,
        "残疾人证号应为20位（身份号码18位＋类别1位＋等级1位，补换证可另加1位或B和1位），请核对。",
        "A disability card number has 20 characters (ID, category 1-7, grade 1-4; one more digit or B and a digit after re-issue).",
    ),
    "card_id_mismatch": Kind(
        ERROR,
        "残疾人证号前18位与公民身份号码不一致（人证不符），请核对。",
        "The first 18 characters of the disability card differ from the citizen ID.",
    ),
    "card_damaged_by_spreadsheet": Kind(
        ERROR,
        "残疾人证号已被表格软件改成数字，末几位丢失。请把该列设为“文本”格式后重新填写。",
        "The spreadsheet turned the card number into a figure and lost digits. Format the column as text and type it again.",
    ),
    "duplicate_in_file": Kind(
        ERROR,
        "与第{first_row}行是同一身份号码，请只保留一行。",
        "Same citizen ID as row {first_row}; keep one of them.",
    ),
    "already_enrolled": Kind(
        WARNING, "此人已在本班花名册中，不重复登记。", "Already enrolled in this class; nothing was changed."
    ),
    "already_withdrawn": Kind(
        WARNING,
        "此人已从本班退班，本次不登记；如需恢复，请对该学员办理“重新入班”。",
        "Withdrawn from this class before; nothing was changed. To take them back, use rejoining.",
    ),
    "enrolled_under_another_name": Kind(
        WARNING,
        "此人在本班登记的姓名与本表不同，未作改动；如需更正，请办理“姓名更正”。",
        "Enrolled here under another name, which was not changed; to change it, use the correction of a name.",
    ),
    "early_submission": Kind(
        WARNING,
        "结业日期（{ends_on}）之前提交，请核对培训是否已经结束。",
        "Submitted before its last day ({ends_on}); please check that the training is over.",
    ),
    "not_on_roster": Kind(
        ERROR,
        "本班花名册中没有这个身份号码，请先补报花名册或核对号码。",
        "This citizen ID is not on the class roster; add it to the roster first or check the number.",
    ),
    "name_differs_from_roster": Kind(
        ERROR,
        "姓名与本班花名册不一致，请核对；姓名确需更正的，请先办理更正。",
        "The name differs from the class roster; check it, or have the roster corrected first.",
    ),
    "withdrawn_trainee": Kind(
        ERROR, "该学员已退班，不能登记成绩。", "This trainee has withdrawn; no result can be recorded."
    ),
    "score_range": Kind(
        ERROR,
        "{field_zh}应为0至{limit}之间的数字，请核对。",
        "The {field_en} must be a number from 0 to {limit}.",
    ),
    "hours_range": Kind(
        ERROR,
        "出勤课时应为0至{limit}之间的数字，不能超过本班总课时，请核对。",
        "Hours attended must be a number from 0 to {limit}, the hours of the class.",
    ),
    "verdict_format": Kind(
        ERROR, "“是否合格”只能填“合格”或“不合格”。", "Pass or fail must be 合格 or 不合格."
    ),
    "verdict_contradicts_scores": Kind(
        ERROR,
        "“是否合格”与出勤、成绩不一致：按规定（出勤不少于{attendance_percent}%课时，各科不低于{pass_mark}分）应为“{verdict_zh}”，请核对。",
        "The verdict contradicts hours and scores: by the rule (attendance {attendance_percent} %, each paper {pass_mark}) it is '{verdict_en}'.",
    ),
    "result_unchanged": Kind(
        WARNING, "与已登记的成绩相同，不重复登记。", "Same as the recorded result; nothing was changed."
    ),
    "result_replaced": Kind(
        WARNING,
        "将替换此前登记的成绩，原成绩留痕。",
        "This replaces the recorded result; the old one is kept as a trace.",
    ),
    "date_format": Kind(
        ERROR,
        "{field_zh}应写成“2025-03-01”这样的日期，请核对。",
        "The {field_en} must be a date such as 2025-03-01.",
    ),
    "phone_format": Kind(
        WARNING,
        "联系电话不是11位手机号或带区号的座机号，请核对。",
        "The phone is neither an 11-digit mobile nor a landline number.",
    ),
    "occupation_out_of_scope": Kind(
        ERROR, "该职业（工种）不在基地的培训范围内。", "This occupation is outside the base's listed scope."
    ),
    "overlapping_class": Kind(
        WARNING,
        "此人在同一时间还报名了另一个培训班，请核对。",
        "Enrolled in another class in the same period; please check.",
    ),
    "late_enrolment": Kind(
        WARNING,
        "开班已超过{days}天才报名，请县（区）残联酌情处理。",
        "Enrolled more than {days} days after the class began; the county decides.",
    ),
    "over_capacity": Kind(
        WARNING,
        "报名人数将超过本班计划人数{capacity}人，请县（区）残联酌情处理。",
        "More people than the class capacity of {capacity}; the county decides.",
    ),
    "unreadable_cell": Kind(
        ERROR,
        "{field_zh}单元格是公式错误值（如 #N/A），请改为实际内容。",
        "The {field_en} cell holds a formula error; type the value instead.",
    ),
    "sex_format": Kind(WARNING, "性别只能填“男”或“女”，请核对。", "Sex must be 男 or 女; please check."),
    "too_many_decimals": Kind(
        ERROR,
        "{field_zh}最多保留{places}位小数，请核对。",
        "The {field_en} may have at most {places} decimal places.",
    ),
    "uscc_length": Kind(
        ERROR,
        "统一社会信用代码应为18位，现为{length}位，请核对。",
        "A unified social credit code has 18 characters; this one has {length}.",
    ),
    "uscc_format": Kind(
        ERROR,
        "统一社会信用代码只能是数字和大写字母（不含I、O、Z、S、V），且首位须为登记管理部门代码，请对照证书核对。",
        "A credit code is digits and capital letters without I, O, Z, S, V, and begins with its authority; compare with the certificate.",
    ),
    "uscc_checksum": Kind(
        ERROR,
        "统一社会信用代码的校验位不对，至少有一位写错，请对照证书核对。",
        "The check character is wrong: at least one character is mistyped; compare with the certificate.",
    ),
    "uscc_organisation_check": Kind(
        WARNING,
        "统一社会信用代码第9至17位（组织机构代码）的校验位不对，请对照证书核对。",
        "The organisation code inside (characters 9-17) does not check; compare with the certificate.",
    ),
    "certificate_number_format": Kind(
        ERROR,
        "证书编号应为“6位区划-4位年份-6位流水号-1位校验”，请对照证书核对。",
        "A certificate number is 6 digits of division, 4 of year, 6 of serial and 1 check digit; compare with the certificate.",
    ),
    "certificate_number_checksum": Kind(
        ERROR,
        "证书编号的校验位不对，至少有一位写错，请对照证书核对。",
        "The check digit is wrong: at least one digit is mistyped; compare with the certificate.",
    ),
    "late_filing": Kind(
        WARNING,
        "备案晚于规定时间：应在开班前{days}个工作日（{due}前）备案，请县（区）残联酌情处理。",
        "Filed late: it was due {days} working days before the first day, by {due}; the county decides.",
    ),
    "project_other_year": Kind(
        WARNING,
        "培训班开班年份与培训项目年度（{year}）不一致，请县（区）残联核实。",
        "The class begins in another year than its training project's ({year}); the county decides.",
    ),
    "project_people_exceeded": Kind(
        WARNING,
        "加上本班，项目各班共{places}个名额，超过项目计划的{planned}人，请县（区）残联核实。",
        "With this class the project has {places} places, more than the {planned} people planned; the county decides.",
    ),
    "project_hours_fewer": Kind(
        WARNING,
        "本班课时少于培训项目计划的{planned}课时，请县（区）残联核实。",
        "The class has fewer hours than the {planned} that its training project plans; the county decides.",
    ),
    "class_size": Kind(
        WARNING,
        "计划人数不在规定班额（{smallest}—{largest}人）内，请县（区）残联酌情处理。",
        "The planned size is outside {smallest}-{largest}; the county decides.",
    ),
    "identical_filing": Kind(
        WARNING,
        "与备案号{filing_no}的培训班内容完全相同，请核对是否重复备案。",
        "Identical to the filing {filing_no}; please check whether it was filed twice.",
    ),
}

CATALOGUE["absent_with_score"] = Kind(
    ERROR,
    "该学员在第{sitting}次考核登记为未参加，不能登记新的成绩，请核对成绩或先更正考核登记。",
    "On record as not there at sitting {sitting}, so no new score can be recorded; check it or correct the sitting.",
)
CATALOGUE |= {code: Kind(ERROR, zh, en) for code, (zh, en) in problem_words.ERRORS.items()}
CATALOGUE |= {code: Kind(WARNING, zh, en) for code, (zh, en) in problem_words.WARNINGS.items()}
CATALOGUE |= {code: Kind(ERROR, zh, en) for code, (zh, en) in timetable_words.ERRORS.items()}
CATALOGUE |= {code: Kind(WARNING, zh, en) for code, (zh, en) in timetable_words.WARNINGS.items()}
CATALOGUE |= {code: Kind(ERROR, zh, en) for code, (zh, en) in roster_words.ERRORS.items()}
CATALOGUE |= {code: Kind(WARNING, zh, en) for code, (zh, en) in roster_words.WARNINGS.items()}
CATALOGUE |= {code: Kind(ERROR, zh, en) for code, (zh, en) in attendance_words.ERRORS.items()}
CATALOGUE |= {code: Kind(WARNING, zh, en) for code, (zh, en) in attendance_words.WARNINGS.items()}
FIELD_NAMES |= problem_words.FIELD_NAMES | timetable_words.FIELD_NAMES | roster_words.FIELD_NAMES
FIELD_NAMES |= attendance_words.FIELD_NAMES

#: A more helpful sentence of the same code and severity, for problems whose fact ``form`` names it.
VARIANTS: dict[tuple[str, str], Kind] = {
    ("id_length", "old"): Kind(
        ERROR,
        "这是15位的旧号码，已停止使用，请按第二代身份证填写18位公民身份号码。",
        "This is a 15-digit number of the old kind, no longer in use; enter the 18 characters of the present ID card.",
    ),
    ("id_length", "old_foreign"): Kind(
        ERROR,
        "这是旧版外国人永久居留证号码（15位），请填写新版居留证上的18位号码。",
        "This is the 15-character number of an old permanent residence card; enter the 18 digits of the new card.",
    ),
    ("id_length", "card"): Kind(
        ERROR,
        "这里填的像是残疾人证号（{length}位），请改填18位公民身份号码。",
        "This looks like a disability card number ({length} characters); enter the 18 characters of the citizen ID.",
    ),
    ("missing", "score"): Kind(
        ERROR,
        "{field_zh}未填写，请补填；没有参加考试的请填“缺考”。",
        "The {field_en} is empty; fill it in, or write 缺考 for someone who did not sit the exam.",
    ),
}
VARIANTS |= {
    (code, "attendance"): Kind(ERROR, *words) for code, words in attendance_words.ERRORS_HERE.items()
}

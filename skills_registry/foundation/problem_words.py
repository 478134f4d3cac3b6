"""More of the one list of what can be wrong: sentences of the rooms that keep a person's file.

:mod:`skills_registry.foundation.problems` takes them into its catalogue; callers look there. Everything
here warns: what other bodies number and what becomes of a person after the class is theirs to know, and
an office only compares (DOMAIN §3.3, §6).
"""

from __future__ import annotations

#: What a field is called on paper: Chinese, English.
FIELD_NAMES: dict[str, tuple[str, str]] = {
    "held_number": ("证书编号", "certificate number"),
    "issued_on": ("发证日期", "day of issue"),
    "form": ("就业形式", "form of employment"),
    "employer": ("就业单位", "employer"),
    "started_on": ("就业日期", "first day of work"),
    "ended_on": ("离职日期", "last day of work"),
    "evidence": ("证明材料", "evidence"),
}

#: Code → Chinese and English sentence of a warning, templates over the problem's facts.
WARNINGS: dict[str, tuple[str, str]] = {
    "held_number_form": (
        "证书编号的位数或格式与该类证书的编码规则（{expected_zh}）不符，请对照证书原件核对；确实如此的可以保留。",
        "The number has not the form that this kind of certificate has ({expected_en}); compare with the paper.",
    ),
    "held_number_damaged": (
        "证书编号已被表格软件改成数字，末几位可能丢失，请对照证书原件重新填写整个编号。",
        "A spreadsheet turned this number into a figure and may have lost digits; type the whole number again.",
    ),
    "held_number_letter": (
        "职业技能等级证书编号一般以 Y（用人单位）或 S（社会培训评价组织）开头，请核对。",
        "The number of a skill-level certificate begins with Y (employer) or S (evaluation body); please check.",
    ),
    "held_number_level": (
        "证书编号中的等级（{coded}级）与填写的等级不一致，请核对。",
        "The level inside the number ({coded}) differs from the level entered; please check.",
    ),
    "held_number_year": (
        "证书编号中的年份（{coded}年）与发证日期不一致，请核对。",
        "The year inside the number ({coded}) differs from the day of issue; please check.",
    ),
    "held_number_elsewhere": (
        "同一证书编号已登记在另一人名下，请核对证书原件。",
        "The same number is on record for another person; compare with the paper.",
    ),
    "employer_missing": (
        "这种就业形式应填写就业单位，请补填。",
        "This form of employment needs the employer's name; please add it.",
    ),
    "employer_code": (
        "就业单位的统一社会信用代码未通过校验，请对照营业执照核对。",
        "The employer's credit code does not check; compare with its licence.",
    ),
    "evidence_missing": (
        "没有就业证明材料，请补充（合同、工资流水、社保记录、村（居）委会证明等均可）。",
        "There is no evidence of the employment; a contract, wage transfers, insurance or a village's word will do.",
    ),
    "employed_before_class": (
        "就业日期早于开班日期（{class_starts_on}），请核对该学员开班时是否未就业。",
        "In work before the class began ({class_starts_on}); please check that the trainee was out of work then.",
    ),
    "employer_is_base": (
        "就业单位就是培训基地自己，请县（区）残联核实。",
        "The employer is the training base itself; the county should verify it.",
    ),
    "same_employer_for_many": (
        "本班已有{persons}人登记在同一单位就业，请县（区）残联核实。",
        "{persons} people of this class are entered with the same employer; the county should verify it.",
    ),
    "starts_after_report": (
        "就业日期晚于登记日期，请核对。",
        "The first day of work lies after the day of this report; please check.",
    ),
}

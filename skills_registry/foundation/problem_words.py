"""More of the one list of what can be wrong: sentences of the rooms that keep a person's file.

:mod:`skills_registry.foundation.problems` takes them into its catalogue; callers look there. Most of it
warns: what other bodies number and what becomes of a person after the class is theirs to know, and an
office only compares (DOMAIN §3.3, §6).
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
    "other_accommodations": ("其他辅助需求", "other accommodations needed"),
    "held_on": ("考核日期", "day of the assessment"),
    "examiners": ("考评员", "examiners"),
    "papers": ("考核科目", "papers"),
}

#: Code → Chinese and English sentence of an error, templates over the problem's facts.
ERRORS: dict[str, tuple[str, str]] = {
    "employment_form_unknown": (
        "就业形式应为：{forms_zh}，请核对；没有就业的填“未就业”或不填。",
        "The form of employment must be one of: {forms_en}; write 未就业, or nothing, for nobody's work.",
    ),
    "day_ahead": (
        "{field_zh}不能晚于今天，请核对。",
        "The {field_en} cannot lie after today; please check.",
    ),
    "employer_characters": (
        "就业单位含有不能使用的字符（如公式符号、尖括号、控制符），请核对后重新填写。",
        "The employer has characters that cannot be used (formula signs, angle brackets, control characters).",
    ),
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
    "not_in_work": (
        "没有填写就业情况，按未就业处理，不登记。",
        "Nothing is said of any work: taken as not in work, and nothing is recorded.",
    ),
    "employment_on_record": (
        "相同的就业情况已登记，不重复登记。",
        "The same employment is on record; nothing was changed.",
    ),
    "evidence_unknown": (
        "有的证明材料不在目录（{kinds_zh}）中，未予登记，请核对。",
        "Some of the evidence is none of the known kinds ({kinds_en}) and was left out; please check.",
    ),
    "assessment_filed_late": (
        "考核报备晚于规定时间：应在考核前{days}个工作日（{due}前）报备，请县（区）残联酌情处理。",
        "The assessment was filed late: it was due {days} working days before, by {due}; the county decides.",
    ),
    "assessment_before_end": (
        "考核安排在结业日期（{ends_on}）之前，请核对。",
        "The assessment lies before the last day of the class ({ends_on}); please check.",
    ),
    "few_examiners": (
        "考评员少于规定的{least}人，请县（区）残联酌情处理。",
        "Fewer than {least} examiners; the county decides.",
    ),
    "papers_left_out": (
        "首次考核没有安排全部科目，请核对。",
        "The first sitting leaves out a paper of the class; please check.",
    ),
    "assessment_not_held": (
        "本班的考核还没有登记为已举行，请先登记考核情况。",
        "The assessment of this class is not on record as held; please record it first.",
    ),
    "not_due_at_sitting": (
        "该学员不在已举行考核的名单中，请核对。",
        "This trainee was not due at any sitting that was held; please check.",
    ),
    "sat_without_score": (
        "该学员登记为参加了第{sitting}次考核，但各科都是缺考，请核对。",
        "On record as having sat sitting {sitting}, but every paper is marked absent; please check.",
    ),
    "paper_not_examined": (
        "第{sitting}次考核没有考“{papers}”，其成绩却与已登记的不同，请核对。",
        "Sitting {sitting} did not examine {papers}, yet the score differs from the one on record; please check.",
    ),
}

"""More of the one list of what can be wrong: sentences about what a roster says beyond name and number.

:mod:`skills_registry.foundation.problems` takes them into its catalogue; callers look there. What only
informs never refuses a row: it warns, and what cannot be read is left out.
"""

from __future__ import annotations

#: What a field is called on paper: Chinese, English.
FIELD_NAMES: dict[str, tuple[str, str]] = {
    "residence_division": ("常住地区划", "residence division"),
    "residence": ("常住地址", "address"),
    "guardian": ("监护人", "guardian"),
    "guardian_phone": ("监护人电话", "guardian's phone"),
    "guardian_contact": ("监护人及电话", "guardian and phone"),
    "wishes": ("培训意愿", "training wishes"),
    "accommodations": ("辅助需求", "accommodations needed"),
    "card_issued_on": ("残疾人证首次发证日期", "day when the card was first issued"),
    "consent_on": ("知情同意日期", "day of consent"),
    "consent_means": ("知情同意方式", "means of consent"),
}

#: Code → Chinese and English sentence of an error, templates over the problem's facts.
ERRORS: dict[str, tuple[str, str]] = {
    "hours_differ_from_attendance": (
        "出勤课时填写为{claimed}，与本班考勤记录的{recorded}不一致；请核对，考勤有误的请先更正考勤。",
        "The sheet claims {claimed} hours, attendance was recorded for {recorded}; check, or correct the attendance first.",
    ),
}

#: Code → Chinese and English sentence of a warning, templates over the problem's facts.
WARNINGS: dict[str, tuple[str, str]] = {
    "date_not_kept": (
        "{field_zh}不是“2025-03-01”这样的日期，未登记；请核对后补报。",
        "The {field_en} is no date such as 2025-03-01 and was not kept; please check and send it again.",
    ),
    "division_unknown": (
        "常住地区划不是已知的区划代码或本市县（区）名称，已按地址文字保留，请核对。",
        "The residence division is no known code or county of this city; it was kept as part of the address.",
    ),
    "accommodation_unknown": (
        "辅助需求中有不在列表内的内容，已按原文保留；请基地联系本人确认如何提供。",
        "Some accommodation needed is not on the list; it was kept as written. Please ask the trainee how to provide it.",
    ),
    "words_shortened": (
        "{field_zh}超过{limit}个字，超出部分未登记，请缩短。",
        "The {field_en} is longer than {limit} characters; the rest was not kept.",
    ),
    "card_issued_after_start": (
        "残疾人证首次发证日期晚于开班日期（{starts_on}），请县（区）残联核实；换发新证的请填首次发证日期。",
        "The disability card was first issued after the class began ({starts_on}); the county should verify it.",
    ),
    "same_training_before": (
        "此人此前已参加同一职业（课程）同一等级的培训，请核对是否重复培训。",
        "Was in a class of the same trade and level before; please check for a repeated training.",
    ),
    "consent_missing": (
        "没有知情同意的日期和方式；请取得本人对个人信息处理的单独同意后补登。",
        "No consent to the handling of personal data; obtain the trainee's own consent and record it.",
    ),
    "consent_incomplete": (
        "知情同意须同时填写日期和方式（纸质签名、按手印、电子签名、监护人代签），本行未登记同意。",
        "Consent needs both its day and its means; none was recorded for this row.",
    ),
    "consent_day_wrong": (
        "知情同意日期在将来，或早于同意书文本的启用日期，未登记，请核对。",
        "The day of consent is in the future or before there was a text; it was not recorded.",
    ),
    "consent_added": (
        "此人的知情同意将补登到原报名记录。",
        "The consent will be added to the enrolment that is on record.",
    ),
    "consent_withdrawn_before": (
        "此人此前撤回了知情同意，不能由表格恢复；请逐人重新登记。",
        "This trainee withdrew consent before; a sheet does not bring it back. Record it for them singly.",
    ),
    "guardian_missing": (
        "由监护人代签的，请填写监护人姓名。",
        "Signed by a guardian: please enter the guardian's name.",
    ),
    "particulars_added": (
        "表中新填的内容将补入原报名记录，已有内容不变。",
        "What the record lacks will be added from this row; what it has stays.",
    ),
}

"""More of the one list of what can be wrong: sentences about timetables, row by row and as a whole.

:mod:`skills_registry.foundation.problems` takes them into its catalogue; callers look there. What cannot
be is an error: one teacher in two places, more people than places. What an officer should weigh warns.
"""

from __future__ import annotations

#: What a field is called on paper: Chinese, English.
FIELD_NAMES: dict[str, tuple[str, str]] = {
    "on": ("日期", "date"),
    "starts_at": ("开始时间", "start time"),
    "ends_at": ("结束时间", "end time"),
    "class_hours": ("课时", "class hours"),
    "content": ("内容", "content"),
    "kind": ("类别", "kind"),
    "place": ("地点", "place"),
    "teacher": ("教师", "teacher"),
    "sessions": ("课程表", "timetable"),
}

#: Code → Chinese and English sentence of an error, templates over the problem's facts.
ERRORS: dict[str, tuple[str, str]] = {
    "time_format": (
        "{field_zh}应写成“08:30”这样的24小时制时间，请核对。",
        "The {field_en} must be a time such as 08:30, in 24 hours.",
    ),
    "text_too_long": (
        "{field_zh}最多{limit}个字，请缩短。",
        "The {field_en} may have at most {limit} characters; please shorten it.",
    ),
    "session_ends_before_start": (
        "结束时间应晚于开始时间，请核对。",
        "The end must be later than the start; please check.",
    ),
    "session_outside_class": (
        "日期不在本班起止日期（{starts_on}至{ends_on}）内，请改日期，或先办理班期变更。",
        "The day is outside the class's dates ({starts_on} to {ends_on}); change the day, or the class's dates first.",
    ),
    "session_hours_range": (
        "课时应为0.5至{limit}之间的数字，最多一位小数，请核对。",
        "Class hours must be a number from 0.5 to {limit} with at most one decimal place.",
    ),
    "session_hours_exceed_clock": (
        "这段时间共{minutes}分钟，按每课时45分钟最多{most}课时，请核对时间或课时。",
        "{minutes} minutes hold at most {most} class hours of 45 minutes; check the times or the hours.",
    ),
    "session_kind": (
        "类别只能填“理论”“实操”“安全教育”或“线上”。",
        "The kind must be theory, practice, safety or online.",
    ),
    "session_overlap": (
        "与第{first_row}行的课时间重叠，同一个班不能同时上两次课，请改时间。",
        "It overlaps row {first_row}: a class cannot have two sessions at once; change one of them.",
    ),
    "day_too_long": (
        "{day}当天共排{hours}课时，超过每天{limit}课时的上限，请分到其他日期。",
        "{day} has {hours} class hours, more than the {limit} of a day; move some to another day.",
    ),
    "teacher_unknown": (
        "基地档案的教师名册中没有这位在册教师，请先在基地档案中登记教师，或改填在册教师。",
        "No such teacher stands on the base's roster; enter the teacher in the base's file first, or choose another.",
    ),
    "teacher_ambiguous": (
        "教师名册中有多位同名教师，请通过接口或页面按教师选择。",
        "Several teachers on the roster have this name; choose the teacher by id instead.",
    ),
    "teacher_elsewhere": (
        "该教师同一时间在备案号{filing_no}的培训班上课（{starts_at}—{ends_at}），请改时间或换教师。",
        "The teacher teaches the class {filing_no} at that time ({starts_at}-{ends_at}); change the time or the teacher.",
    ),
    "site_unknown": (
        "基地档案中没有这个在用场地，请先在基地档案中登记，或改选场地。",
        "No such site stands in the base's file; enter it there first, or choose another.",
    ),
    "place_too_small": (
        "该场地只能容纳{places}人，本班计划{capacity}人，请换场地或分班。",
        "The site has {places} places for a class of {capacity}; choose a larger site or split the class.",
    ),
    "place_over_capacity": (
        "该场地同一时间还有其他班（如备案号{filing_no}），合计{people}人，超过可容纳的{places}人，请改时间或换场地。",
        "With other classes (such as {filing_no}) {people} people would be at this site of {places} places at once; change time or site.",
    ),
}

#: Code → Chinese and English sentence of a warning.
WARNINGS: dict[str, tuple[str, str]] = {
    "teacher_missing": ("还没有安排教师，请补填。", "No teacher is named yet; please add one."),
    "place_missing": ("还没有填写上课地点，请补填。", "No place is named yet; please add one."),
    "place_not_in_file": (
        "该地点不是基地档案中的场地，请县（区）残联核实。",
        "The place is none of the sites in the base's file; the county should verify it.",
    ),
    "timetable_hours": (
        "课程表共{planned}课时，与备案的{filed}课时不一致，请核对。",
        "The timetable has {planned} class hours, the filing {filed}; please check.",
    ),
    "theory_share": (
        "理论（含安全教育、线上）课时占{percent}%，低于规定的{least}%，请核对。",
        "Theory (safety and online included) is {percent} % of the hours, less than {least} %; please check.",
    ),
    "practice_share": (
        "实操课时占{percent}%，低于规定的{least}%，请核对。",
        "Practice is {percent} % of the hours, less than {least} %; please check.",
    ),
    "safety_hours": (
        "安全教育共{hours}课时，少于规定的{least}课时，请核对。",
        "Safety has {hours} class hours, fewer than {least}; please check.",
    ),
    "change_reported_late": (
        "变更涉及{day}，应在当天之前报告，请县（区）残联酌情处理。",
        "The change concerns {day} and should have been reported before that day; the county decides.",
    ),
}

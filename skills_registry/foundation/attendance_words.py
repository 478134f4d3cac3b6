"""More of the one list of what can be wrong: sentences of attendance sheets, and doubts about attendance.

:mod:`skills_registry.foundation.problems` takes them into its catalogue; callers look there.
"""

from __future__ import annotations

#: What a field is called on paper: Chinese, English.
FIELD_NAMES: dict[str, tuple[str, str]] = {
    "marks": ("考勤", "attendance"),
    "means": ("签到方式", "means"),
}

#: Code → Chinese and English sentence of an error, templates over the problem's facts.
ERRORS: dict[str, tuple[str, str]] = {
    "mark_format": (
        "{field_zh}只能填“√”（出勤）、“假”（请假）、“×”（缺勤），或留空，请核对。",
        "The mark of {field_en} must be √ (present), 假 (on leave) or × (absent), or empty.",
    ),
    "means_format": (
        "签到方式只能填“纸质”“设备”或“教师”，或留空（按纸质签到表登记）。",
        "The means must be 纸质 (paper), 设备 (device) or 教师 (teacher), or empty for paper.",
    ),
    "session_not_begun": (
        "{field_zh}还没有上课，不能登记考勤，请留空。",
        "{field_en} is yet to come: leave its mark empty.",
    ),
    "session_closed": (
        "{field_zh}的考勤已结束，与本表不同；请恢复原值，确需更正的，逐项办理更正并写明原因。",
        "The attendance of {field_en} is closed and differs; restore the mark, or correct it with a reason.",
    ),
}

#: Code → Chinese and English sentence of a warning.
WARNINGS: dict[str, tuple[str, str]] = {
    "marks_replaced": (
        "将替换此前登记的{count}次课的考勤，原记录留痕。",
        "This replaces {count} recorded marks; the old ones are kept as a trace.",
    ),
    "marks_unchanged": (
        "与已登记的考勤相同，不重复登记。",
        "Same as the recorded attendance; nothing is changed.",
    ),
    "no_marks": ("本行没有填写考勤，不作登记。", "This row has no mark; nothing is recorded."),
    "day_attendance_low": (
        "有{count}天的出勤率低于{percent}%（{days}），请核实。",
        "On {count} days fewer than {percent} % were present ({days}); please look into it.",
    ),
    "marks_in_one_minute": (
        "同一设备在一分钟内打卡{most}人次（{day}），疑似代打卡，请核实。",
        "One device took {most} marks within a minute ({day}): perhaps one person for many; please look into it.",
    ),
    "marked_on_another_day": (
        "有{count}条打卡记录的日期不是上课当天，请核实。",
        "{count} marks were taken on another day than the session's; please look into it.",
    ),
    "recorded_late": (
        "有{count}次课的考勤在上课{days}天以后才登记，请核实。",
        "The attendance of {count} sessions was recorded more than {days} days after them; please look into it.",
    ),
    "corrected_after_closing": (
        "考勤结束后更正过{count}次，更正前后的值和原因见考勤更正记录。",
        "Attendance was corrected {count} times after closing; the corrections tell old and new value and why.",
    ),
    "scan_missing": (
        "有{count}次课按纸质签到表登记，但没有上传签到表扫描件。",
        "{count} sessions were recorded from paper without the scan of their sign-in sheet.",
    ),
}

#: Another sentence of a code that the catalogue has, for problems whose fact ``form`` is "attendance".
ERRORS_HERE: dict[str, tuple[str, str]] = {
    "withdrawn_trainee": (
        "该学员已退班，不能登记考勤。",
        "This trainee has withdrawn; no attendance can be recorded.",
    ),
}

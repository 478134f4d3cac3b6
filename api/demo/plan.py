"""What the demonstration city is to hold: its bases on paper, its classes, and those that apply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from skills_registry.bases import Trade

MASSAGE = Trade("2015", "4-10-04-02", "保健按摩师", "level3_senior")
PASTRY = Trade("2015", "4-03-02-02", "中式面点师", "level4_intermediate")
COOK = Trade("2022", "4-03-02-01", "中式烹调师", "level4_intermediate")
MARKETING = Trade("2022", "4-01-06-02", "互联网营销师", "level4_intermediate")


@dataclass(frozen=True)
class PlannedBase:
    """A base of the demonstration, with the period for which it was listed on paper."""

    name: str
    division_code: str
    kind: str
    valid_from: date
    valid_until: date
    scope: tuple[Trade, ...]


BASES = (
    PlannedBase(
        "海东市乐都区阳光职业技能培训学校",
        "630202",
        "training",
        date(2025, 1, 1),
        date(2027, 12, 31),
        (MASSAGE, PASTRY, COOK, MARKETING),
    ),
    PlannedBase(
        "平安区惠民职业培训中心", "630203", "training", date(2023, 9, 1), date(2026, 8, 31), (COOK, PASTRY)
    ),
    PlannedBase(
        "互助县明眸按摩实训基地",
        "630223",
        "blind_massage_practice",
        date(2023, 9, 1),
        date(2026, 8, 31),
        (MASSAGE,),
    ),
    PlannedBase(
        "民和县河湟就业创业孵化园", "630222", "incubation", date(2024, 6, 1), date(2027, 5, 31), (MARKETING,)
    ),
    PlannedBase(
        "化隆县拉面产业培训学校", "630224", "training", date(2024, 3, 1), date(2027, 2, 28), (COOK, PASTRY)
    ),
    PlannedBase(
        "循化县积石职业技能学校", "630225", "training", date(2025, 3, 1), date(2028, 2, 29), (PASTRY,)
    ),
    PlannedBase("平安区高原技能培训中心", "630203", "training", date(2025, 4, 1), date(2028, 3, 31), (COOK,)),
    PlannedBase(
        "互助县彩虹职业技能培训学校",
        "630223",
        "training",
        date(2024, 9, 1),
        date(2027, 8, 31),
        (PASTRY, MARKETING),
    ),
    PlannedBase(
        "循化县清水辅助性就业工坊",
        "630225",
        "sheltered_employment",
        date(2024, 10, 1),
        date(2027, 9, 30),
        (PASTRY,),
    ),
)


@dataclass(frozen=True)
class PlannedClass:
    """A class of the demonstration: ``base`` by its place in :data:`BASES`, ``until`` the stage it reaches."""

    base: int
    title: str
    trade: Trade | None
    level: str
    training_type: str
    starts_on: date
    days: int
    hours: int
    people: int
    until: str


CLASSES = (
    PlannedClass(
        2,
        "2023年盲人按摩继续教育班",
        MASSAGE,
        "level4_intermediate",
        "continuing_education",
        date(2023, 10, 9),
        20,
        60,
        10,
        "approved",
    ),
    PlannedClass(
        1,
        "2024年中式面点师五级班",
        PASTRY,
        "level5_junior",
        "employment_skills",
        date(2024, 5, 13),
        30,
        120,
        14,
        "approved",
    ),
    PlannedClass(
        0,
        "2025年保健按摩师五级第一期",
        MASSAGE,
        "level5_junior",
        "employment_skills",
        date(2025, 9, 1),
        40,
        120,
        24,
        "approved",
    ),
    PlannedClass(
        3,
        "2025年农村电商直播班",
        MARKETING,
        "level5_junior",
        "employment_skills",
        date(2025, 10, 13),
        25,
        120,
        16,
        "submitted",
    ),
    PlannedClass(
        4,
        "2026年拉面师傅提升班",
        COOK,
        "level4_intermediate",
        "skill_upgrading",
        date(2026, 3, 2),
        30,
        104,
        15,
        "open",
    ),
    PlannedClass(
        0,
        "2026年保健按摩师五级第二期",
        MASSAGE,
        "level5_junior",
        "employment_skills",
        date(2026, 4, 13),
        40,
        120,
        20,
        "returned",
    ),
    PlannedClass(
        5,
        "2026年牛羊养殖实用技术班",
        None,
        "",
        "practical_technology",
        date(2026, 5, 11),
        10,
        40,
        18,
        "filed",
    ),
)


@dataclass(frozen=True)
class PlannedApplication:
    """A base that applies in 2026: ``until`` is the state that its application reaches, from ``begins_on``."""

    name: str
    division_code: str
    kind: str
    scope: tuple[Trade, ...]
    begins_on: date
    until: str


APPLICATIONS = (
    PlannedApplication(
        "循化县街子职业技能培训学校", "630225", "training", (COOK, PASTRY), date(2026, 3, 2), "listed"
    ),
    PlannedApplication(
        "互助县威远家政培训学校", "630223", "training", (MARKETING,), date(2026, 4, 1), "refused"
    ),
    PlannedApplication(
        "民和县川口按摩实训基地", "630222", "blind_massage_practice", (MASSAGE,), date(2026, 5, 6), "noticed"
    ),
    PlannedApplication(
        "化隆县巴燕拉面培训学校", "630224", "training", (COOK,), date(2026, 5, 11), "expert_review"
    ),
    PlannedApplication(
        "乐都区瞿昙职业培训学校", "630202", "training", (PASTRY, COOK), date(2026, 6, 1), "submitted"
    ),
)

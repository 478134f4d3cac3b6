"""Division codes (行政区划代码, GB/T 2260): those of Haidong by name, and whether a code was ever known.

Until 2013 Haidong was a prefecture (海东地区) with the codes 6321xx; citizen IDs keep them for ever
(DOMAIN §2.4). The industrial park (海东工业园区) has no code: an organisational unit is no division.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from stdnum import numdb


@dataclass(frozen=True)
class Division:
    """One division and the years in which its code was in force; ``until`` is None for today's."""

    code: str
    name: str
    since: int | None
    until: int | None = None


#: Source: python-stdnum's ``cn/loc.dat`` (from zh.wikipedia), read for DOMAIN §2.4.
HAIDONG: tuple[Division, ...] = (
    Division("630200", "海东市", 2013),
    Division("630202", "乐都区", 2013),
    Division("630203", "平安区", 2015),
    Division("630222", "民和回族土族自治县", 2013),
    Division("630223", "互助土族自治县", 2013),
    Division("630224", "化隆回族自治县", 2013),
    Division("630225", "循化撒拉族自治县", 2013),
    Division("630221", "平安县", 2013, 2015),
    Division("632100", "海东地区", None, 2013),
    Division("632121", "平安县", None, 2013),
    Division("632122", "民和回族土族自治县", None, 2013),
    Division("632123", "乐都县", None, 2013),
    Division("632124", "湟中县", None, 1999),
    Division("632125", "湟源县", None, 1999),
    Division("632126", "互助土族自治县", None, 2013),
    Division("632127", "化隆回族自治县", None, 2013),
    Division("632128", "循化撒拉族自治县", None, 2013),
)

#: The six counties and districts of today's city.
COUNTIES: tuple[Division, ...] = tuple(d for d in HAIDONG if d.until is None and not d.code.endswith("00"))

#: Residence permits for Hong Kong, Macao and Taiwan carry these in place of a division.
_PERMIT_REGIONS = frozenset({"810000", "820000", "830000"})
_NAMES = {division.code: division.name for division in HAIDONG}


def division_name(code: str) -> str | None:
    """The name of a division of Haidong, past ones too, or None."""
    return _NAMES.get(code)


@lru_cache(maxsize=4096)
def is_known_region(code: str) -> bool:
    """Whether six digits are, or ever were, a division code, whatever the year."""
    if code in _PERMIT_REGIONS or code in _NAMES:
        return True
    return any("county" in properties for _, properties in numdb.get("cn/loc").info(code))

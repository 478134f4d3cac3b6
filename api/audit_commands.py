"""``skills-registry audit``: is the register as it was written, and where does its chain end."""

from __future__ import annotations

from api.check import Finding
from skills_registry.foundation import audit, series, tampering
from skills_registry.foundation.audit import Head
from skills_registry.foundation.storage import database


def tampered(put_aside: str = "") -> list[Finding]:
    """Every row and entry of the open database that is not what the registry wrote.

    Without a head that was put aside, the one that is kept with the numbers is compared.

    :raises HeadUnreadable: ``put_aside`` is no head.
    """
    # Every room must be known, since only its tables' classes tell which columns hold JSON.
    import api.app  # noqa: F401

    kept = put_aside or series.kept_head()
    put_by = Head.parse(kept) if kept else None
    return [Finding(b.table, b.row, b.zh, b.en) for b in tampering.findings(database.journal, put_by)]


def told(found: list[Finding]) -> str:
    """The findings, one a line, and the head to put aside."""
    clean = "审计链和全部数据行完好。 The audit chain and every row are as written."
    lines = [str(finding) for finding in found] or [clean]
    return "\n".join([*lines, f"锚点 head: {audit.head()}   问题 findings: {len(found)}"])

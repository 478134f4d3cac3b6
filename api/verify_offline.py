"""``skills-registry verify``: a scanned text, a picture or a PDF, against the registry or a saved key file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from api.callers import act_of
from api.services import Services
from certificates import token, verification
from certificates.signing import KeyRing
from certificates.verification import Facts, Verdict
from skills_registry.certification import certificates
from skills_registry.certification.plaques import RecordedPapers
from skills_registry.foundation.acts import PUBLIC
from skills_registry.foundation.errors import FileRefused
from skills_registry.foundation.levels import level


class NoCodeFound(FileRefused):
    """A picture or PDF without a readable QR code."""

    code = "no_code_found"
    zh = "文件中没有找到可以识别的二维码。请提供更清晰的图片，二维码四周留白。"
    en = "No readable QR code was found in the file; try a sharper picture with white around the code."


@dataclass(frozen=True)
class Told:
    """A verdict, and whether the name asked about is the holder's (None where it was not asked)."""

    verdict: Verdict
    match: bool | None = None


def verdicts(
    what: str, service: Services | None, key_file: Path | None, today: date, name: str
) -> list[Told]:
    """The verdict on each code in ``what``; without a service, offline with the key file.

    :raises NoCodeFound: a file without a readable code.
    """
    codes = _codes(what)
    if service is None:
        keys = KeyRing.load(key_file.read_bytes()) if key_file else KeyRing()
        return [Told(verification.check(code, keys=keys, registry=None, on=today)) for code in codes]
    return [_online(service, code, today, name) for code in codes]


def _online(service: Services, code: str, today: date, name: str) -> Told:
    registry = RecordedPapers(act_of(service, PUBLIC))
    verdict = verification.check(code, keys=service.key_ring(), registry=registry, on=today)
    if not name or verdict.record is None or verdict.facts is None:
        return Told(verdict)
    certificate = certificates.find_by_number(verdict.facts.number)
    return Told(verdict, certificates.name_matches(service.vault, certificate, name))


def _codes(what: str) -> list[str]:
    # A scanned text is longer than any file name may be; asking the disk for it would be an error.
    if len(what) > 255 or not Path(what).is_file():
        return [token.code_from(what)]
    from certificates import scanning

    found = [token.code_from(text) for text in scanning.codes_in(Path(what).read_bytes())]
    if not found:
        raise NoCodeFound()
    return found


def told(one: Told) -> str:
    """A verdict as lines of text, Chinese first."""
    verdict = one.verdict
    lines = [
        f"{verdict.heading('zh')} {verdict.heading('en')}",
        verdict.sentence("zh"),
        verdict.sentence("en"),
    ]
    lines += [f"  {step.number} {step.outcome:11} {step.sentence('zh')}" for step in verdict.steps]
    if verdict.facts is not None:
        lines += _facts(verdict.facts)
    if one.match is not None:
        lines.append("  姓名 name        " + ("一致 match" if one.match else "不一致 no match"))
    return "\n".join(lines)


def _facts(facts: Facts) -> list[str]:
    trade = f"{facts.occupation_edition} {facts.occupation_code}".strip() or "—"
    skill = level(facts.level).zh if facts.level else "—"
    what = f"  职业 occupation  {trade}  {skill}  {facts.class_hours} 课时 hours"
    if facts.kind == "competition_award":
        what = "  种类 kind        竞赛获奖证书 competition award"
    if facts.kind == "base_plaque":
        what = f"  基地 base        /bases/{facts.base_number}"
    return [
        f"  编号 number      {facts.number}",
        what,
        f"  签发 issued      {facts.issued_on}   有效期至 until {facts.expires_on or '长期 without end'}",
    ]

"""What a check can find and conclude, and how it says so to people: one table of words.

A shop owner who cannot see the page hears the sentence alone, so every sentence begins with the
verdict itself and ends with what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

StepCode = Literal["readable", "known_key", "signature", "on_record", "unaltered", "status"]
Outcome = Literal["passed", "failed", "not_reached", "unknown"]
VerdictCode = Literal[
    "valid",
    "revoked",
    "superseded",
    "suspended",
    "expired",
    "not_on_record",
    "altered",
    "forged",
    "unreadable",
    "unknown_key",
    "authentic",
]

PASSED: Outcome = "passed"
FAILED: Outcome = "failed"
UNKNOWN: Outcome = "unknown"
NOT_REACHED: Outcome = "not_reached"

STEPS: tuple[StepCode, ...] = get_args(StepCode)


@dataclass(frozen=True)
class Words:
    """What a verdict says, to somebody who hears it read aloud. ``alarm``: tell the issuer at once."""

    heading_zh: str
    heading_en: str
    zh: str
    en: str
    alarm: bool = False


VERDICTS: dict[VerdictCode, Words] = {
    "valid": Words(
        "有效",
        "Valid",
        "有效。本证书真实，登记在册，目前有效。请再核对证书上的姓名是不是持证人本人。",
        "Valid. This certificate is genuine, on record and in force today. "
        "Please also check that the name on it is the holder's.",
    ),
    "revoked": Words(
        "已撤销",
        "Revoked",
        "已撤销。本证书由登记机关签发，后来被撤销，现在无效，请不要采信。",
        "Revoked. This certificate was issued and later revoked. It is no longer valid; do not rely on it.",
    ),
    "superseded": Words(
        "已被新证书替代",
        "Replaced by a new certificate",
        "已被新证书替代。本证书已更正或补发，旧证书不再有效{newer_zh}。请查看持证人的新证书。",
        "Replaced. This certificate was corrected or reissued and is no longer valid{newer_en}. "
        "Please ask the holder for the new one.",
    ),
    "suspended": Words(
        "已暂停使用",
        "Suspended",
        "已暂停使用。本证书由登记机关签发，目前正在核查，核查期间不能使用。请过些日子再查，或询问发证单位。",
        "Suspended. This certificate is under review and may not be used meanwhile. "
        "Check again later or ask the issuer.",
    ),
    "expired": Words(
        "已过期",
        "Expired",
        "已过期。本证书由登记机关签发，有效期到{expires_zh}为止，现在已经过期。",
        "Expired. This certificate was issued by the registry; its last valid day was {expires_en}.",
    ),
    "not_on_record": Words(
        "警示：登记册中没有这张证书",
        "Warning: signed but not on record",
        "警示：这张证书带有登记系统的签名，登记册中却没有它。请不要采信，并尽快告知发证单位。",
        "Warning: this certificate carries the registry's signature but is not on record. "
        "Do not rely on it, and tell the issuer.",
        alarm=True,
    ),
    "altered": Words(
        "警示：登记内容与证书不一致",
        "Warning: the record differs from the certificate",
        "警示：登记册中的内容与这张证书签发时的内容不一致，可能被人改动过。请不要采信，并尽快告知发证单位。",
        "Warning: the record differs from what was signed; somebody may have changed it. "
        "Do not rely on it, and tell the issuer.",
        alarm=True,
    ),
    "forged": Words(
        "不真实",
        "Not genuine",
        "不真实。这个验证码不是登记系统签发的，或者内容被改动过，请不要采信这张证书。",
        "Not genuine. The registry did not issue this code, or it was changed. "
        "Do not rely on this certificate.",
    ),
    "unreadable": Words(
        "无法识别",
        "Unreadable",
        "无法识别。这不是完整的证书验证码。请重新扫描二维码；仍不成功时，可用证书编号和姓名查询。",
        "Unreadable. This is not a complete certificate code. Please scan it again; "
        "if that fails, look it up by number and name.",
    ),
    "unknown_key": Words(
        "无法核验",
        "Cannot be checked here",
        "无法核验。这里保存的公钥文件不能核对这张证书，文件可能比证书旧。请更新公钥文件，或联网查询。",
        "Cannot be checked. The saved key file has no usable key for this certificate and may be older than it. "
        "Save the key file again, or check online.",
    ),
    "authentic": Words(
        "真实，当前状态未知",
        "Genuine, present status unknown",
        "真实，但当前状态未知。证书内容确由登记系统签发，没有改动；离线时无法知道它是否已被撤销。请联网查询当前状态。",
        "Genuine, but its present status is unknown. The registry signed these facts and nobody changed them; "
        "offline nobody can tell whether it was revoked since. Check online for its status.",
    ),
}

#: The plaque of a base in other words: what counts is how its listing stands today, and nobody's name.
PLAQUE_VERDICTS: dict[VerdictCode, Words] = {
    "valid": Words(
        "有效",
        "Valid",
        "有效。这块牌证真实，登记在册，基地现在挂牌。请核对牌证上的基地名称是不是这家基地。",
        "Valid. This plaque is genuine and on record, and the base is listed today. "
        "Please check that the name on it is that of this base.",
    ),
    "revoked": Words(
        "已失效",
        "No longer in force",
        "已失效。这块牌证由登记机关签发，后来基地退出名录，或者牌证作废，现在不再有效。基地的当前状态见下。",
        "No longer in force. This plaque was issued by the registry; since then the base has left the list or the "
        "plaque was withdrawn. The standing of the base today is given below.",
    ),
    "suspended": Words(
        "挂牌已暂停",
        "Listing suspended",
        "挂牌已暂停。这块牌证真实，但基地目前被暂停挂牌，不能开新班。请过些日子再查，或询问登记机关。",
        "Suspended. This plaque is genuine, but the listing of the base is suspended and it may start no class. "
        "Check again later or ask the registry.",
    ),
    "expired": Words(
        "挂牌期已满",
        "Listing expired",
        "挂牌期已满。这块牌证由登记机关签发，挂牌期到{expires_zh}为止。基地的当前状态见下。",
        "Expired. This plaque was issued by the registry for a listing whose last day was {expires_en}. "
        "The standing of the base today is given below.",
    ),
}

#: An award in words of its own, where those of a certificate would speak of training.
AWARD_VERDICTS: dict[VerdictCode, Words] = {
    "valid": Words(
        "有效",
        "Valid",
        "有效。这张获奖证书真实，登记在册，目前有效。请再核对姓名、项目和奖项是不是与证书一致。",
        "Valid. This award is genuine, on record and in force today. "
        "Please also check that the name, the event and the prize are those on the paper.",
    ),
    "revoked": Words(
        "已撤销",
        "Revoked",
        "已撤销。这张获奖证书由登记机关签发，后来比赛成绩更正或获奖资格取消，现在无效，请不要采信。",
        "Revoked. This award was issued; later the result was corrected or the award withdrawn. "
        "It is no longer valid; do not rely on it.",
    ),
}

#: Kinds of paper that have words of their own.
WORDS_OF_KIND: dict[str, dict[VerdictCode, Words]] = {
    "base_plaque": PLAQUE_VERDICTS,
    "competition_award": AWARD_VERDICTS,
}

#: What each step found, in Chinese and English.
FINDINGS: dict[tuple[StepCode, Outcome], tuple[str, str]] = {
    ("readable", PASSED): ("验证码完整，可以识别。", "The code is complete and can be read."),
    ("readable", FAILED): (
        "验证码不完整，或不是证书验证码。",
        "The code is incomplete, or no certificate code.",
    ),
    ("known_key", PASSED): ("由登记系统公布的密钥签发。", "It names a published key of the registry."),
    ("known_key", FAILED): (
        "所用密钥不是登记系统公布的，或签发日期不在密钥使用期内。",
        "It names no key of the registry, or was issued outside the key's period.",
    ),
    ("known_key", UNKNOWN): (
        "公钥文件中没有这把密钥，或本程序不支持它的算法。",
        "The key file has no such key, or this program does not know its algorithm.",
    ),
    ("signature", PASSED): ("签名正确，内容没有改动。", "The signature holds; nothing was changed."),
    ("signature", FAILED): (
        "签名不正确，内容不可信。",
        "The signature does not hold; the content is not to be trusted.",
    ),
    ("on_record", PASSED): ("登记在册。", "The certificate is on record."),
    ("on_record", FAILED): ("登记册中没有这张证书。", "The registry has no such certificate."),
    ("on_record", UNKNOWN): ("离线核验，未查登记册。", "Checked offline; the registry was not asked."),
    ("unaltered", PASSED): ("登记内容与签发内容一致。", "The record equals what was signed."),
    ("unaltered", FAILED): ("登记内容与签发内容不一致。", "The record differs from what was signed."),
    ("unaltered", UNKNOWN): ("离线核验，未与登记册比对。", "Checked offline; not compared with the record."),
    ("status", PASSED): ("状态有效，在有效期内。", "In force and within its period of validity."),
    ("status", FAILED): ("证书现在不能使用，原因见核验结论。", "No longer in force; the verdict says why."),
    ("status", UNKNOWN): ("离线核验，当前状态未知。", "Checked offline; the present status is unknown."),
}
#: A step that is not reached says the same everywhere.
NOT_REACHED_WORDS = ("前面的步骤未通过，未进行。", "Not reached, since an earlier step failed.")

BaseCase = Literal["listed", "left", "taught_out", "not_listed"]

#: Beside the verdict: was the base listed when the class began, and has it left the list since? A class
#: that began while the base was listed counts, whether the certificate came before the base left or after.
BASE_WORDS: dict[BaseCase, tuple[str, str]] = {
    "listed": ("开班时，培训基地在挂牌有效期内。", "The training base was listed when the class began."),
    "left": (
        "发证时，培训基地在挂牌有效期内；该基地从{left_zh}起不再挂牌，不影响本证书。",
        (
            "Issued while the training base was listed; the base left the list on {left_en}. "
            "That does not affect this certificate."
        ),
    ),
    "taught_out": (
        "开班时，培训基地在挂牌有效期内；该基地从{left_zh}起不再挂牌，本班按规定完成培训后发证，不影响本证书。",
        (
            "The training base was listed when the class began; the base left the list on {left_en} and the "
            "class was taught out under supervision. That does not affect this certificate."
        ),
    ),
    "not_listed": (
        "登记册中没有该基地开班时的挂牌记录。",
        "The registry has no listing of the training base for the day on which the class began.",
    ),
}

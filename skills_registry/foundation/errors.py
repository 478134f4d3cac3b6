"""Every error of the registry, drawn as a tree, each with a stable ``code``.

    RegistryError
    ├── InputRefused            the input itself is wrong; mend it and send again
    │   ├── FieldRefused        one named field
    │   └── FileRefused         a whole upload that cannot be read
    ├── NotAllowed              this caller may not do this
    │   └── SeparationOfDuties  … because of what the same person did before (权限不相容)
    ├── NotFound                no such record, or none that this caller may know of
    ├── RuleBroken              a rule of the field forbids it; the facts say which
    │   └── WrongState          the lifecycle has no such move from here
    └── Unavailable             the registry cannot do it now (key, font or database missing)
        └── Undrawable          no installed font covers a character

Errors carry their sentence in Chinese and in English and the facts that fill it. Facts never
hold personal data: they name rows, fields, numbers and dates, not people.
"""

from __future__ import annotations

from typing import ClassVar


class RegistryError(Exception):
    """Root of all errors that the registry raises on purpose.

    ``zh`` and ``en`` are :meth:`str.format` templates over ``facts``.
    """

    code: ClassVar[str] = "registry_error"
    zh: ClassVar[str] = "登记系统无法完成这项操作。"
    en: ClassVar[str] = "The registry could not do this."

    def __init__(self, *, code: str = "", zh: str = "", en: str = "", **facts: object) -> None:
        self.facts = facts
        self.own_code = code or self.code
        self._zh = zh or self.zh
        self._en = en or self.en
        super().__init__(self.sentence("en"))

    def sentence(self, language: str = "zh") -> str:
        """The message for people, Chinese unless ``language`` is ``"en"``."""
        return (self._en if language == "en" else self._zh).format(**self.facts)


class InputRefused(RegistryError):
    """The input is wrong; nothing was changed."""

    code = "input_refused"
    zh = "提交的内容有误，请更正后重新提交。"
    en = "What was sent is wrong; please correct it and send it again."


class FieldRefused(InputRefused):
    """One field is wrong. Facts: ``field``."""

    code = "field_refused"
    zh = "“{field}”填写有误，请更正。"
    en = "The field '{field}' is wrong; please correct it."


class FileRefused(InputRefused):
    """An upload that cannot be read as a table. The code says why."""

    code = "file_refused"
    zh = "无法读取这个文件，请另存为 .xlsx 后重新上传。"
    en = "This file cannot be read; please save it as .xlsx and upload it again."


class NotAllowed(RegistryError):
    """The caller's role or organisation does not permit the act."""

    code = "not_allowed"
    zh = "您的账号没有权限进行这项操作。"
    en = "Your account may not do this."


class SeparationOfDuties(NotAllowed):
    """One person may not take both parts of a check (财社〔2023〕181号 Art. 25, 权限不相容)."""

    code = "separation_of_duties"
    zh = "同一人不能既经办又审批，请由另一位工作人员办理。"
    en = "The same person cannot both file and approve; please ask another officer."


class NotFound(RegistryError):
    """No such record for this caller; foreign records answer exactly as unknown ones do."""

    code = "not_found"
    zh = "没有找到这条记录。"
    en = "No such record was found."


class RuleBroken(RegistryError):
    """A rule of the field forbids the act; subclasses and facts say which."""

    code = "rule_broken"
    zh = "不符合规定，无法办理。"
    en = "A rule forbids this."


class WrongState(RuleBroken):
    """The lifecycle has no such move from the present state. Facts: ``noun_zh``, ``noun_en``, ``state_zh``,
    ``state_en``, ``to_zh``, ``to_en``."""

    code = "wrong_state"
    zh = "{noun_zh}当前状态为“{state_zh}”，不能转为“{to_zh}”。"
    en = "The {noun_en} is '{state_en}' and cannot become '{to_en}'."


class Unavailable(RegistryError):
    """The registry itself lacks something; an operator must act. Facts: ``what``, ``remedy``."""

    code = "unavailable"
    zh = "系统暂时无法完成：{what}。处理办法：{remedy}"
    en = "Temporarily unavailable: {what}. Remedy: {remedy}"


class Undrawable(Unavailable):
    """No installed font covers these characters. Facts: ``characters`` as code points, ``where``."""

    code = "undrawable"
    zh = "{where}含有系统字体无法显示的字符（{characters}），请系统管理员安装覆盖该字的字体后再办理。"
    en = "{where} has characters that no installed font covers ({characters}); install a font that does, then try again."

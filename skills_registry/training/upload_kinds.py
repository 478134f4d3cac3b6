"""Kinds of sheets (表格种类): what an upload asks of a roster, a results sheet, and whatever else comes as rows.

A kind reads a file, judges its rows from the sheet alone and then against the records, and writes what was
accepted. :mod:`skills_registry.training.uploads` stages and confirms; it knows no column. A new kind is one
class in a module of its own and one entry in ``uploads.KINDS``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from skills_registry.foundation.acts import Act
from skills_registry.foundation.problems import Problem
from skills_registry.foundation.wording import Typeface
from skills_registry.spreadsheets import Sheet
from skills_registry.training.classes import TrainingClass, require_with_base
from skills_registry.training.sheets import CheckedRow


class SheetKind(ABC):
    """One kind of sheet; it keeps nothing between calls.

    ``code`` (at most 10 characters) is what an upload keeps and callers send, ``zh`` and ``en`` what people
    read. Of a sheet that is ``indivisible`` one refused row keeps all others from being confirmed.
    """

    code: ClassVar[str]
    zh: ClassVar[str]
    en: ClassVar[str]
    indivisible: ClassVar[bool] = False

    def require_takes(self, training_class: TrainingClass) -> None:
        """The class takes such a sheet now; asked at staging and at confirming.

        :raises ClassClosed: the class is not with the base.
        """
        require_with_base(training_class)

    @abstractmethod
    def read(self, training_class: TrainingClass, content: bytes) -> Sheet:
        """The rows of a file.

        :raises FileRefused: the file is no such sheet; the sentence says why.
        """

    @abstractmethod
    def check(self, act: Act, training_class: TrainingClass, sheet: Sheet) -> list[CheckedRow]:
        """Judge every row from the sheet alone; as many rows as the sheet has, in its order.

        ``values`` are kept as JSON: dates and decimals come back to :meth:`doubts` and :meth:`write` as text.
        """

    @abstractmethod
    def doubts(
        self, act: Act, training_class: TrainingClass, row: CheckedRow, *, uncovered: Typeface | None = None
    ) -> list[Problem]:
        """What only the records can tell about a row without errors; asked again before it is written."""

    def doubts_of_rows(
        self,
        act: Act,
        training_class: TrainingClass,
        rows: Sequence[CheckedRow],
        *,
        uncovered: Typeface | None = None,
    ) -> list[list[Problem]]:
        """:meth:`doubts` of all rows; a kind that can ask the records once for all overrides this."""
        return [self.doubts(act, training_class, row, uncovered=uncovered) for row in rows]

    def doubts_about_sheet(
        self,
        act: Act,  # noqa: ARG002 - for those that override it
        training_class: TrainingClass,  # noqa: ARG002
        rows: Sequence[CheckedRow],  # noqa: ARG002
    ) -> list[Problem]:
        """What the county should look at about the sheet as a whole: said once, not on every row."""
        return []

    @abstractmethod
    def write(self, act: Act, training_class: TrainingClass, values: Mapping[str, Any], number: int) -> None:
        """Write one accepted row, ``number`` as Excel shows it, inside the confirming transaction."""

    def write_all(
        self, act: Act, training_class: TrainingClass, rows: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> None:
        """Write all accepted rows, each with its number; a kind that replaces a whole overrides this."""
        for number, values in rows:
            self.write(act, training_class, values, number)

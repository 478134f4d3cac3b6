"""One class, one file (一期一档): everything on record about a class, whole or with the list of what is missing.

A file is gathered when it is asked for and never kept: the filing, the timetable, the roster, attendance,
results, certificates and originals stay where they were recorded. What a file must hold is policy
(``class_file``); reading one needs a reason and is logged.
"""

from skills_registry.class_files.contents import (
    ITEMS,
    STATES,
    Item,
    Original,
    contents,
    is_complete,
    originals,
)
from skills_registry.class_files.gathering import ClassFile, read_contents, read_file
from skills_registry.class_files.tables import Table

__all__ = [
    "ITEMS",
    "STATES",
    "ClassFile",
    "Item",
    "Original",
    "Table",
    "contents",
    "is_complete",
    "originals",
    "read_contents",
    "read_file",
]

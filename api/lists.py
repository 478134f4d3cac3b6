"""Lists: pages by cursor, the same on every route.

``?limit=`` (1–200, default 50) and ``?after=`` the id of the last item seen; the answer is
``{"items": […], "next": id or null}``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from marshmallow import Schema, fields, validate


class PageQuery(Schema):
    """The two words that every list understands."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    after = fields.UUID(load_default=None, metadata={"description": "上一页最后一条的 id"})
    lang = fields.String(load_default=None, validate=validate.OneOf(["zh", "en"]))


@cache
def page_of(item: type[Schema]) -> Schema:
    """The schema of a page of ``item``."""
    name = item.__name__.removesuffix("Schema") + "Page"
    made: type[Schema] = Schema.from_dict(
        {"items": fields.List(fields.Nested(item)), "next": fields.String(allow_none=True)}, name=name
    )
    return made()


def page(
    query: Any, table: Any, asked: dict[str, Any], show: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """One page of a query over ``table``, in order of id."""
    if asked["after"] is not None:
        query = query.where(table.id > asked["after"])
    rows = list(query.order_by(table.id).limit(asked["limit"] + 1))
    shown = rows[: asked["limit"]]
    more = len(rows) > asked["limit"]
    return {"items": [show(row) for row in shown], "next": str(shown[-1].id) if more else None}

"""Sessions in the console (课次): the timetable of a class, sign-in sheets to print, sessions to close."""

from __future__ import annotations

from typing import Any

from flask import Response

from api.callers import act, for_roles
from api.classes import reachable_class
from api.console.frame import READERS, Refused, attempted, blueprint, show, to
from api.sessions import reachable_session
from api.timetable import show_timetable
from skills_registry.training import attendance
from skills_registry.training.timetable import sessions_of


@blueprint.get("/classes/<uuid:class_id>/sessions")
@for_roles(*READERS)
def list_sessions(class_id: Any) -> Response:
    """The timetable of a class as it holds now."""
    return _page(str(class_id))


def _page(class_id: str, refused: Refused | None = None) -> Response:
    training_class = reachable_class(class_id)
    shown = show_timetable(training_class)
    recorded = {str(key) for key in attendance.recorded_in(sessions_of(training_class))}
    return show(
        "sessions",
        refused=refused,
        here=to("list_sessions", class_id=class_id),
        training_class=training_class,
        shown=shown,
        recorded=recorded,
        today=act().today,
        may_close=act().by.role == "base_clerk",
        may_print=act().by.role in ("base_clerk", "county_officer"),
    )


@blueprint.post("/sessions/<uuid:session_id>/closing")
@for_roles("base_clerk")
def close_session(session_id: Any) -> Any:
    """Close a session once everybody has a mark."""
    session = reachable_session(str(session_id))
    class_id = session.training_class_id

    def close() -> str:
        attendance.close_session(act(), session)
        return to("list_sessions", class_id=class_id, done="session_closed")

    return attempted(close, lambda refused: _page(str(class_id), refused))

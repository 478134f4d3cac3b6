"""Every refusal as a problem document (RFC 9457), and the one table of HTTP statuses.

A problem has ``type``, ``title``, ``status``, ``detail`` and the registry's stable ``code``; for a
body that does not fit, ``errors`` lists field and message. No personal data, never a traceback.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Any

import structlog
from flask import Flask, Response, g, has_request_context, json, render_template, request
from peewee import DatabaseError, DataError, IntegrityError, InterfaceError, PeeweeException
from werkzeug.exceptions import HTTPException

from skills_registry.bases.entries import ChangedMeanwhile
from skills_registry.foundation import errors
from skills_registry.resources import ResourceChangedMeanwhile

log = structlog.get_logger()

#: The place of a field: names as ours are, and places in lists.
_PLACE = re.compile(
    r"(?:[a-zA-Z_][a-zA-Z_-]{0,40}|[0-9]{1,4})(?:\.(?:[a-zA-Z_][a-zA-Z_-]{0,40}|[0-9]{1,4}))*|"
)

#: Which status answers which error; the first class that fits, so narrow before wide.
STATUSES: tuple[tuple[type[errors.RegistryError], int], ...] = (
    (errors.InputRefused, 422),
    (errors.Undrawable, 409),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (ChangedMeanwhile, 412),
    (ResourceChangedMeanwhile, 412),
    (errors.RuleBroken, 409),
    (errors.Unavailable, 503),
    (errors.RegistryError, 400),
)

#: Sentences for refusals that HTTP itself makes: code, Chinese, English.
HTTP_SENTENCES: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "请求格式有误。", "The request is malformed."),
    401: (
        "unauthorized",
        "请在请求头中提供有效的密钥：Authorization: Bearer sr_…",
        "Send a key that is in force: Authorization: Bearer sr_…",
    ),
    403: ("not_allowed", "您的账号没有权限进行这项操作。", "Your account may not do this."),
    404: ("not_found", "没有找到。", "Not found."),
    405: ("method_not_allowed", "此地址不支持这种请求方法。", "This address does not take that method."),
    409: ("conflict", "与已有记录或当前状态冲突。", "It conflicts with what is on record."),
    412: (
        "changed_meanwhile",
        "内容已被他人修改，请刷新后再改。",
        "It was changed meanwhile; load it again.",
    ),
    413: ("too_large", "文件或内容太大，最大10 MB。", "Too large: at most 10 MB."),
    415: ("unsupported_media_type", "请求的内容类型不受支持。", "This content type is not supported."),
    422: ("invalid_input", "提交的内容有误，请按提示更正。", "What was sent does not fit; see the errors."),
    428: (
        "if_match_required",
        "请在请求头 If-Match 中写明读取时的 ETag。",
        "Send the ETag that you read in the header If-Match.",
    ),
    429: ("too_many_requests", "请求过于频繁，请稍后再试。", "Too many requests; please try again later."),
    500: ("internal_error", "系统出现意外错误，已记录。", "Something unexpected happened; it was logged."),
    503: ("unavailable", "系统繁忙，请稍后再试。", "Busy; please try again soon."),
    507: ("storage_full", "存储空间已满，请联系系统管理员。", "Storage is full; please tell the operator."),
}

#: marshmallow's sentences in Chinese, by how they begin.
FIELD_SENTENCES: tuple[tuple[str, str], ...] = (
    ("Missing data", "必须填写。"),
    ("Unknown field", "没有这个字段，请核对字段名。"),
    ("Field may not be null", "不能为空。"),
    ("Not a valid integer", "应为整数。"),
    ("Not a valid number", "应为数字。"),
    ("Not a valid aware datetime", "应为带时区的时间，如2025-03-01T08:30:00+08:00。"),
    ("Not a valid datetime", "应为带时区的时间，如2025-03-01T08:30:00+08:00。"),
    ("Not a valid date", "应为日期，如2025-03-01。"),
    ("Not a valid string", "应为文字。"),
    ("Not a valid boolean", "应为 true 或 false。"),
    ("Not a valid list", "应为列表。"),
    ("Not a valid mapping", "应为对象。"),
    ("Not a valid UUID", "编号格式不对。"),
    ("Invalid input type", "应为对象。"),
    ("Must be one of", "不在可选范围内。"),
    ("Must be greater than", "数值太小。"),
    ("Must be less than", "数值太大。"),
    ("Shorter than", "太短或未填写。"),
    ("Longer than", "太长。"),
    ("Length must be", "长度不符。"),
    ("String does not match", "格式不对。"),
    ("Must be on one line", "不能换行。"),
)


#: Those of marshmallow's sentences that tell what would do: it is told in Chinese too.
BOUND_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Must be one of: (.+)\."), "应为以下之一：{}。"),
    (re.compile(r"Length must be between (\S+) and (\S+)\."), "长度应在{}至{}之间。"),
    (
        re.compile(r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\."),
        "应在{}至{}之间。",
    ),
)


def language() -> str:
    """``en`` when the caller prefers English to Chinese, else ``zh``."""
    if not has_request_context():
        return "zh"
    if request.args.get("lang") in ("zh", "en"):
        return str(request.args["lang"])
    return str(request.accept_languages.best_match(["zh", "en"], default="zh"))


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """A problem document as a response."""
    g.problem_code = code
    title = HTTP_SENTENCES.get(status, HTTP_SENTENCES[400])[2 if language() == "en" else 1]
    if _wants_page():
        return _as_page(status, title, detail)
    document = {
        "type": f"/docs/problems#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return _with_hints(
        Response(json.dumps({**document, **more}), status=status, content_type="application/problem+json")
    )


def _with_hints(response: Response) -> Response:
    if response.status_code in (429, 503, 507):
        response.headers["Retry-After"] = "5"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _wants_page() -> bool:
    """People on the public pages get a page; programs get a problem document."""
    if request.path.startswith("/api/") or request.is_json:
        return False
    kinds = request.accept_mimetypes
    return kinds.best_match(["application/problem+json", "application/json", "text/html"]) == "text/html"


def _as_page(status: int, title: str, detail: str) -> Response:
    lang = language()
    other = f"/?lang={'zh' if lang == 'en' else 'en'}"
    body = render_template(
        "pages/problem.html",
        lang=lang,
        other_language_url=other,
        title=title,
        detail=detail,
        status=status,
        in_console=request.path.startswith("/console"),
    )
    return _with_hints(Response(body, status))


def from_registry_error(error: errors.RegistryError) -> Response:
    """The answer to an error that the registry raised on purpose."""
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    return problem(status, error.own_code, error.sentence(language()), **_rows_of(error))


def _rows_of(error: errors.RegistryError) -> dict[str, Any]:
    """What is wrong row by row, where an error names rows: each with its field, code and sentence."""
    rows = [
        {"row": number, "field": found.field, "code": found.code, "message": found.sentence(language())}
        for number, found in getattr(error, "findings", ())
    ]
    return {"rows": rows} if rows else {}


def from_http(error: HTTPException) -> Response:
    """The answer to a refusal by Flask itself, with the fields that do not fit."""
    if isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    code, zh, en = HTTP_SENTENCES.get(status, HTTP_SENTENCES[400])
    messages = getattr(error, "data", {}).get("messages", {})
    fields = [{"field": place, "message": text} for place, text in told_by_field(messages)]
    answer = problem(status, code, en if language() == "en" else zh, **({"errors": fields} if fields else {}))
    if status == 405 and hasattr(error, "valid_methods"):
        answer.headers["Allow"] = ", ".join(error.valid_methods or ())
    return answer


def told_by_field(messages: Any) -> list[tuple[str, str]]:
    """What a schema found wrong, field by field, in the caller's language."""
    return [(_told(place), _translated(text)) for place, text in _flatten(messages)]


def _told(place: str) -> str:
    """Where in the body it is; a name that no field of ours has is not repeated, since it may be anything."""
    return place if _PLACE.fullmatch(place) else "—"


def _flatten(messages: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # The outermost key only says where the value came from (json, query, form, files).
            outer = not place and key in ("json", "query", "form", "files", "headers")
            yield from _flatten(inner, "" if outer else f"{place}.{key}".strip("."))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _flatten(inner, place)
    else:
        yield place, str(messages)


def _translated(text: str) -> str:
    if language() == "en":
        return text
    for pattern, zh in BOUND_SENTENCES:
        if found := pattern.fullmatch(text):
            return zh.format(*found.groups())
    return next((zh for beginning, zh in FIELD_SENTENCES if text.startswith(beginning)), text)


def from_database(error: PeeweeException) -> Response:
    """What the database refused: a twin on record, a value it cannot hold, or that it is busy or away."""
    if isinstance(error, IntegrityError):
        status = 409
    elif isinstance(error, DataError):
        status = 422
    else:
        status = 507 if _no_room(error) else 503
    log.error("database_refused", kind=type(error).__name__, status=status)
    code, zh, en = HTTP_SENTENCES[status]
    return problem(status, code, en if language() == "en" else zh)


def _no_room(error: BaseException | None) -> bool:
    # A full SQLite ends its transaction by itself; that the rollback then fails hides the first error.
    while error is not None:
        if "full" in str(error) or "No space" in str(error):
            return True
        error = error.__context__
    return False


#: What the system says when there is no room, as against when it is busy or forbids.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def from_system(error: OSError) -> Response:
    """What the system refused: a full disk, a file that is gone or forbidden, too many open files."""
    status = 507 if error.errno in _NO_ROOM else 503
    log.error("system_refused", kind=type(error).__name__, errno=error.errno, status=status)
    code, zh, en = HTTP_SENTENCES[status]
    return problem(status, code, en if language() == "en" else zh)


def from_memory(_error: MemoryError) -> Response:
    """More than this machine can hold at once: others go on, and this may be tried again."""
    log.error("out_of_memory", endpoint=request.endpoint)
    code, zh, en = HTTP_SENTENCES[503]
    return problem(503, code, en if language() == "en" else zh)


def from_surprise(error: Exception) -> Response:
    """An error nobody foresaw: logged by its kind and place, told without details."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "?"
    log.error("unexpected", kind=type(error).__name__, place=place, endpoint=request.endpoint)
    g.failed = True
    code, zh, en = HTTP_SENTENCES[500]
    return problem(500, code, en if language() == "en" else zh)


def install(app: Flask) -> None:
    """Answer every error of the app with a problem document."""
    app.register_error_handler(errors.RegistryError, from_registry_error)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(DatabaseError, from_database)
    app.register_error_handler(InterfaceError, from_database)
    app.register_error_handler(OSError, from_system)
    app.register_error_handler(MemoryError, from_memory)
    app.register_error_handler(Exception, from_surprise)

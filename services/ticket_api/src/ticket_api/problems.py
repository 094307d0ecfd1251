"""Errors over HTTP as RFC 9457 has them: `application/problem+json`, each wrong field by its place."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from ticket_api.idempotency import KeyReused
from ticket_api.ticket_store import NoSuchTicket
from ticket_api.tickets import NotAllowed

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:beforehand:problem:invalid-request"]},
        "title": {"type": "string", "examples": ["Invalid request"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {"type": "string", "examples": ["one field is wrong: /subject"]},
        "errors": {
            "type": "array",
            "description": "every wrong field: `pointer` (RFC 6901) into the body, or the name of a `parameter` or `header`",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    name: {"type": "string"} for name in ("pointer", "parameter", "header", "detail")
                },
            },
            "examples": [[{"pointer": "/subject", "detail": "is missing"}]],
        },
    },
}


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is no success. `name` is the last part of the problem's type."""

    def __init__(
        self, status: int, name: str, detail: str, *, errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.errors = errors
        self.headers = headers


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These errors, for the description of a route."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
        for status in statuses
    }


def problem_of(error: Exception) -> Problem:
    """What to say of an error, whatever it is."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            errors = [_wrong(each) for each in error.errors()]
            places = ", ".join(next(iter(each.values())) or "the body" for each in errors)
            count = "one field is wrong" if len(errors) == 1 else f"{len(errors)} fields are wrong"
            return Problem(422, "invalid-request", f"{count}: {places}", errors=errors)
        case NoSuchTicket():
            return Problem(
                404, "no-such-ticket", f"there is no ticket {str(error)[:60]!r}: give its id or its number"
            )
        case NotAllowed():
            return Problem(409, "not-allowed-now", str(error))
        case KeyReused():
            return Problem(
                422, "idempotency-key-reused", "this key came with another request before; make a new one for each",
                errors=[{"header": "Idempotency-Key", "detail": "belongs to another request"}],
            )  # fmt: skip
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            says = {
                404: "there is nothing here; /openapi.json lists what there is",
                405: "this method is not for this path",
            }
            return Problem(
                error.status_code,
                phrase.lower().replace(" ", "-"),
                says.get(error.status_code, phrase),
                headers=error.headers,
            )
        case OperationalError():
            return Problem(
                503,
                "database-away",
                "the database does not answer now; try again",
                headers={"Retry-After": "2"},
            )
        case _:
            return Problem(500, "internal-error", "this is a mistake of ours; it is in the log")


def answer(problem: Problem) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:beforehand:problem:{problem.name}",
        "title": problem.name.replace("-", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = problem.errors
    return JSONResponse(body, problem.status, headers=dict(problem.headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI, page: Callable[[Request, Problem], Response]) -> None:
    """The API answers in JSON, to everybody; elsewhere a browser gets a page."""

    async def handle(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if problem.status == 503:
            log.warning("request not answered", reason=problem.name)
        for_people = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(
            "/v1/"
        )
        return page(request, problem) if for_people else answer(problem)

    kinds = (
        Problem, RequestValidationError, NoSuchTicket, NotAllowed, KeyReused, OperationalError, HTTPException, Exception,
    )  # fmt: skip
    for kind in kinds:
        app.add_exception_handler(kind, handle)


_SAYS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "json_invalid": "is not JSON",
    "string_type": "must be a text",
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
}


def _wrong(error: Mapping[str, Any]) -> dict[str, str]:
    """The place and what is wrong there, without the value: it may be somebody's words."""
    where, *path = error["loc"]
    context = error.get("ctx", {})
    match error["type"]:
        case "string_too_short":
            says = "must not be empty"
        case "string_too_long":
            says = f"must have at most {context['max_length']} characters"
        case "literal_error" | "enum":
            says = f"must be one of {context['expected']}"
        case "value_error":
            says = str(context["error"])
        case kind:
            says = _SAYS.get(kind) or error["msg"].removeprefix("Input ").removeprefix("should ").replace(
                "be ", "must be ", 1
            )
    if where == "body":
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
        return {"pointer": "" if error["type"] == "json_invalid" else pointer, "detail": says}
    return {"header" if where == "header" else "parameter": ".".join(map(str, path)), "detail": says}

"""Errors over HTTP as RFC 9457 has them: `application/problem+json`, each wrong field by its JSON pointer."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from contracts.envelope import FieldProblem

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is no success. `name` is the last part of the problem's type."""

    def __init__(
        self, status: int, name: str, detail: str, *, errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status = status
        self.name = name
        self.detail = detail
        self.errors = errors
        self.headers = headers


async def answer_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    body: dict[str, Any] = {
        "type": f"urn:beforehand:problem:{error.name}",
        "title": error.name.replace("-", " ").capitalize(),
        "status": error.status,
        "detail": error.detail,
    }
    if error.errors:
        body["errors"] = [{"pointer": each.field, "detail": each.problem} for each in error.errors]
    return JSONResponse(body, error.status, headers=error.headers, media_type=MEDIA_TYPE)


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own errors: no such path, no such method."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    says = {
        404: f"there is nothing at {request.url.path}: events go to POST /v1/events, / says how",
        405: f"{request.method} is not for {request.url.path}: events go to POST /v1/events, / says how",
    }
    problem = Problem(
        error.status_code,
        phrase.lower().replace(" ", "-"),
        says.get(error.status_code, phrase),
        headers=error.headers,
    )
    return await answer_problem(request, problem)


async def answer_crash(request: Request, _error: Exception) -> Response:
    return await answer_problem(
        request, Problem(500, "internal-error", "this is a mistake of ours; it is in the log")
    )

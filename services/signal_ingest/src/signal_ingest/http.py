"""The HTTP interface: POST /v1/events, and what operations and callers need beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from contracts.envelope import FieldProblem
from signal_ingest.accept import Accepted, Reason, Rejected, accept
from signal_ingest.bodies import Bodies
from signal_ingest.keys import Grant, Keys, refusal
from signal_ingest.metrics import Metrics
from signal_ingest.modes import Content, from_http
from signal_ingest.openapi import DESCRIPTION, EVENTS_OPERATION, how_to_post
from signal_ingest.problems import Problem, answer_crash, answer_http_error, answer_problem
from signal_ingest.publish import Gate, Unavailable

_STATUS = {Reason.NOT_JSON: 400, Reason.TOO_LARGE: 413, Reason.UNSUPPORTED: 415, Reason.INVALID: 422}
_NAME = {
    Reason.NOT_JSON: "not-json",
    Reason.TOO_LARGE: "too-large",
    Reason.UNSUPPORTED: "unsupported-content",
    Reason.INVALID: "invalid-event",
}
_MAX_ERRORS = 100  # named in one answer


@dataclass(frozen=True, slots=True)
class Ingest:
    """What the routes need."""

    gate: Gate
    keys: Keys
    metrics: Metrics
    max_future: timedelta
    consuming: Callable[[], bool]


def create_app(ingest: Ingest) -> FastAPI:
    app = FastAPI(title="Beforehand: events in", version="1", description=DESCRIPTION, redoc_url=None)
    bodies = Bodies()
    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(HTTPException, answer_http_error)
    app.add_exception_handler(Exception, answer_crash)

    @app.post("/v1/events", **EVENTS_OPERATION)
    async def post_events(request: Request) -> Response:
        grants = _grants(request, ingest)
        try:
            async with bodies.read(request) as body:
                content = from_http(request.headers.raw, body)
                accepted = _accept(content, grants, request, ingest)
        except Rejected as rejected:
            raise _refused(rejected.reason, rejected.problems, ingest) from None
        try:
            repeated = await ingest.gate.publish(accepted)
        except Unavailable as error:
            raise Problem(
                503,
                "unavailable",
                f"{error}: send the same again, nothing will be written twice",
                headers={"Retry-After": str(error.retry_after_s)},
            ) from None
        ingest.metrics.duplicates.labels("http").inc(sum(repeated))
        ingest.metrics.accepted.labels("http").inc(len(repeated) - sum(repeated))
        told = [
            {
                "source": each.event.source,
                "id": each.event.id,
                "status": "duplicate" if again else "accepted",
            }
            for each, again in zip(accepted, repeated, strict=True)
        ]
        return JSONResponse(told if content.batch else told[0], 202)

    @app.get("/", include_in_schema=False)
    async def root(request: Request) -> Response:
        return PlainTextResponse(how_to_post(str(request.base_url)))

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return JSONResponse({"alive": True})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        if not ingest.gate.is_open:
            return JSONResponse({"ready": False, "why": ingest.gate.closed_because}, 503)
        if not ingest.consuming():
            return JSONResponse({"ready": False, "why": "joining the readers of the topic events"}, 503)
        return JSONResponse({"ready": True})

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(ingest.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _grants(request: Request, ingest: Ingest) -> list[Grant]:
    """What the caller may do; 401 without a key that is known."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    grants = ingest.keys.of(key.strip()) if scheme.lower() == "bearer" else []
    if not grants:
        ingest.metrics.rejected.labels("http", "unauthorized").inc()
        says = (
            "this key is not known here" if key else "send your key in the header Authorization: Bearer <key>"
        )
        raise Problem(
            401, "unauthorized", says, headers={"WWW-Authenticate": 'Bearer realm="beforehand events"'}
        )
    return grants


def _accept(content: Content, grants: Sequence[Grant], request: Request, ingest: Ingest) -> list[Accepted]:
    """All the events of a request, or Rejected or Problem with every mistake in every one of them."""
    traceparent = request.headers.get("traceparent")
    now = datetime.now(UTC)
    accepted: list[Accepted] = []
    wrong: list[FieldProblem] = []
    forbidden: list[FieldProblem] = []
    reasons: list[Reason] = []
    for index, fields in enumerate(content.events):
        place = f"/{index}" if content.batch else ""
        try:
            each = accept(fields, now=now, max_future=ingest.max_future, traceparent=traceparent)
        except Rejected as rejected:
            reasons.append(rejected.reason)
            wrong += [FieldProblem(place + problem.field, problem.problem) for problem in rejected.problems]
            continue
        no = refusal(grants, each.event.source, each.event.type)
        if no is not None:
            forbidden.append(FieldProblem(place, no))
        accepted.append(each)
    if reasons:
        raise _refused(reasons[0], wrong, ingest)
    if forbidden:
        ingest.metrics.rejected.labels("http", "forbidden").inc(len(forbidden))
        raise Problem(403, "forbidden", forbidden[0].problem, errors=forbidden[:_MAX_ERRORS])
    return accepted


def _refused(reason: Reason, problems: Sequence[FieldProblem], ingest: Ingest) -> Problem:
    ingest.metrics.rejected.labels("http", reason).inc()
    first = problems[0]
    more = f" (and {len(problems) - 1} more, see errors)" if len(problems) > 1 else ""
    return Problem(
        _STATUS[reason],
        _NAME[reason],
        f"{first.field or 'the body'} {first.problem}{more}; nothing was written",
        errors=problems[:_MAX_ERRORS],
    )

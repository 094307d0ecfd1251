"""The web application: the API, the desk's pages, and what watches over the process asks for."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ticket_api import desk, http, problems
from ticket_api.database import Database
from ticket_api.metrics import Metrics
from ticket_api.watch import Watch

Readiness = Callable[[], Awaitable[dict[str, Any]]]


def make_app(database: Database, desk_key: str, metrics: Metrics, readiness: Readiness) -> FastAPI:
    """`readiness` gives what /readyz says; its `ready` decides on the status."""
    app = FastAPI(
        title="Beforehand: tickets",
        summary="What customers bring, and all that happened to them.",
        version="1",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Watch, requests=metrics.requests)
    app.include_router(http.routes(database, desk_key))

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        told = await readiness()
        return JSONResponse(told, 200 if told["ready"] else 503)

    @app.get("/metrics", include_in_schema=False)
    async def tell_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    problems.install(app, desk.install(app, database, desk_key))
    return app

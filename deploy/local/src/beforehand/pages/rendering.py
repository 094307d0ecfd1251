"""Jinja2 for the local pages: autoescape, the shared base template, and times as a person reads them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

# How many threads or conversations a page lists at first; "older" shows as many more.
LISTED = 100
Listed = Annotated[int, Query(alias="show", ge=1, le=10_000)]


def renderer(templates: Path, **always: Any) -> Callable[..., HTMLResponse]:
    """A function (request, template name, **values) for the templates in `templates` and in pages/templates."""
    environment = Environment(
        loader=FileSystemLoader([templates, Path(__file__).parent / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "day": day}
    environment.globals |= always

    def render(request: Request, name: str, **values: Any) -> HTMLResponse:
        return HTMLResponse(environment.get_template(name).render(path=request.url.path, **values))

    return render


def clock(at: datetime) -> str:
    """The time of day on this machine's clock, to the second."""
    return at.astimezone().strftime("%H:%M:%S")


def day(at: datetime) -> str:
    """Today, or the day on this machine's calendar, as in Mon 3 Nov 2025."""
    local = at.astimezone()
    return (
        "Today"
        if local.date() == datetime.now().astimezone().date()
        else f"{local:%a} {local.day} {local:%b %Y}"
    )

"""Templates: one file for each language, name and occasion, `<locale>/<name>.<occasion>.jinja`, with a block for each part.

`subject` and `text` are for mail, `sms` for text messages; `html` replaces what is otherwise made of `text`. How to write
them stands in rules/templates/README.md. A changed file counts from the next message on.

TemplateFailure
└── a template that is missing, does not parse, or fails on the alert at hand: says where and why
"""

import re
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from notifier.channels import Content
from notifier.formats import babel_locale, filters, zone

_URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)]")


class TemplateFailure(Exception):  # noqa: N818 - the fate of a message, told to people
    pass


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a text is for: the language (BCP 47) and the time zone (IANA), where they are known."""

    locale: str | None = None
    time_zone: str | None = None


class Templates:
    """The templates in `folder`; what there is not in a reader's language is taken in `default_locale`."""

    def __init__(self, folder: Path, *, default_locale: str, default_zone: str) -> None:
        self._folder = folder
        self._default_locale = default_locale
        self._default_zone = default_zone
        self._plain = _environment(folder, autoescape=False)
        self._html = _environment(folder, autoescape=True)

    def email(self, name: str, reader: Reader, variables: Mapping[str, Any]) -> Content:
        """Subject, text and HTML, the latter two within their layouts. Raises TemplateFailure."""
        found = self._find(name, reader.locale)
        context = self._context(found, reader, variables)
        subject = " ".join(self._block(self._plain, found.path, "subject", context).split())
        body = _tidy(self._block(self._plain, found.path, "text", context))
        own = self._block(self._html, found.path, "html", context, required=False)
        context |= {"subject": subject, "body": body, "content": Markup(own) if own else paragraphs(body)}  # noqa: S704 - escaped
        layouts = [f"{locale}/layout" for locale in self._chain(found.locale)] + ["layout"]
        return Content(
            subject=subject,
            locale=found.locale,
            text=_tidy(self._whole(self._plain, [f"{path}.txt" for path in layouts], context)) + "\n",
            html=self._whole(self._html, [f"{path}.html" for path in layouts], context),
        )

    def sms(self, name: str, reader: Reader, variables: Mapping[str, Any]) -> Content:
        """The text message. Raises TemplateFailure."""
        found = self._find(name, reader.locale)
        context = self._context(found, reader, variables)
        text = self._block(self._plain, found.path, "sms", context)
        return Content(text=" ".join(text.split()), locale=found.locale)

    def page(self, name: str, reader: Reader, variables: Mapping[str, Any]) -> str:
        """A page of our own in the reader's language. Raises TemplateFailure."""
        paths = [f"{locale}/{name}.html" for locale in self._chain(reader.locale)]
        return self._whole(self._html, paths, variables)

    def _find(self, name: str, locale: str | None) -> "_Found":
        chain = self._chain(locale)
        for candidate in chain:
            path = f"{candidate}/{name}.jinja"
            if (self._folder / path).is_file():
                return _Found(path, candidate)
        raise TemplateFailure(
            f"template {name}: there is no file {name}.jinja in {', '.join(f'{c}/' for c in chain)} of {self._folder}"
        )

    def _chain(self, locale: str | None) -> list[str]:
        """The folders to look into: the locale's, its language's, then those of the default."""
        wanted = [found for tag in (locale, self._default_locale) if tag and (found := babel_locale(tag))]
        tags = (tag for found in wanted for tag in (str(found).replace("_", "-"), found.language))
        return list(dict.fromkeys(tags))

    def _context(self, found: "_Found", reader: Reader, variables: Mapping[str, Any]) -> dict[str, Any]:
        own = babel_locale(reader.locale or "")
        language = babel_locale(found.locale)
        # an Austrian reads Austrian formats in a German text, a Dane English ones in an English text
        matching = own if own and language and own.language == language.language else language
        return {
            **variables,
            "babel_locale": matching,
            "locale": found.locale,
            "zone": zone(reader.time_zone, self._default_zone),
        }

    def _block(
        self, environment: ImmutableSandboxedEnvironment, path: str, block: str, context: Mapping[str, Any],
        *, required: bool = True,
    ) -> str:  # fmt: skip
        with _Failures(path):
            template = environment.get_template(path)
            render = template.blocks.get(block)
            if render is None:
                if required:
                    raise TemplateFailure(
                        f"template {path} has no block {block}: add {{% block {block} %}}…{{% endblock %}}"
                    )
                return ""
            return "".join(render(template.new_context(dict(context))))

    def _whole(
        self, environment: ImmutableSandboxedEnvironment, paths: list[str], context: Mapping[str, Any]
    ) -> str:
        with _Failures(paths[0]):
            template: Template = environment.select_template(paths)
            return "".join(template.root_render_func(template.new_context(dict(context))))


def paragraphs(text: str) -> Markup:
    """A plain text as HTML: paragraphs, lists of lines that begin with "- ", links."""
    return Markup("\n").join(_paragraph(part.splitlines()) for part in text.split("\n\n") if part.strip())


def _paragraph(lines: list[str]) -> Markup:
    if all(line.startswith("- ") for line in lines):
        items = Markup("").join(Markup("<li>{}</li>").format(_linked(line[2:])) for line in lines)
        return Markup("<ul>{}</ul>").format(items)
    return Markup("<p>{}</p>").format(Markup("<br>\n").join(_linked(line) for line in lines))


def _linked(line: str) -> Markup:
    out, at = Markup(""), 0
    for match in _URL.finditer(line):
        out += escape(line[at : match.start()]) + Markup('<a href="{0}">{0}</a>').format(match[0])
        at = match.end()
    return out + escape(line[at:])


def _tidy(text: str) -> str:
    # "-- " before a mail's footer, blank and all, is how mail programs know it
    lines = [line if line == "-- " else line.rstrip() for line in text.strip().splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    locale: str


class _Missing(StrictUndefined):
    """Says the name of what is missing; the stock text speaks of Python's types."""

    @property
    def _undefined_message(self) -> str:
        return self._undefined_hint or f"{self._undefined_name!r} is missing"


class _Environment(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        # `vars.items` is the variable of that name, where there is one
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _environment(folder: Path, *, autoescape: bool) -> ImmutableSandboxedEnvironment:
    loaders = [FileSystemLoader(folder), PackageLoader("notifier", "layouts")]
    environment = _Environment(
        loader=ChoiceLoader(loaders), undefined=_Missing, autoescape=autoescape, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(filters())
    return environment


class _Failures:
    """Turns whatever a template does wrong into a TemplateFailure that names file and line."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if error is None or isinstance(error, TemplateFailure) or not isinstance(error, Exception):
            return
        if isinstance(error, TemplateSyntaxError):
            raise TemplateFailure(
                f"template {error.name or self._path}, line {error.lineno}: {error.message}"
            ) from error
        if isinstance(error, TemplateNotFound):
            raise TemplateFailure(f"template {self._path}: there is no {error.name}") from error
        path, line = next(iter(_places(error)), (self._path, None))
        where = f"template {path}" + (f", line {line}" if line else "")
        what = (
            str(error)
            if not isinstance(error, ValueError | TypeError)
            else f"{type(error).__name__}: {error}"
        )
        raise TemplateFailure(f"{where}: {what}") from error


def _places(error: Exception) -> Iterator[tuple[str, int]]:
    """File and line of each template that was at work, innermost first."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            yield template.name, template.get_corresponding_lineno(line)

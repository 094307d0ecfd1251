"""What templates give, and what is said of them when they fail; every template of the example rules, in each language."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.templates import Reader, TemplateFailure, Templates

SHIPPED = Path(__file__).resolve().parents[2] / "rules" / "templates"
NOON = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
GIVEN = {
    "order": "o-1001", "amount": 59.9, "currency": "EUR", "card": "4242", "service": "checkout", "step": "connect-bank",
    "promised_at": "2026-01-09T18:00:00Z",
}  # fmt: skip


def seen(variables=None, *, for_customer=True, **more):
    return {
        "company": "Harbour Shop", "for_customer": for_customer, "occasion": "firing", "vars": variables or {},
        "unsubscribe_url": "https://shop.example/unsubscribe/t" if for_customer else None,
        "customer": {"id": "c1", "name": None, "plan": None, "attributes": {}},
        "rule": {"id": "r", "title": "A rule", "description": None, "owner": None, "runbook": None, "labels": {}},
        "alert": {"id": "a", "key": "k", "severity": "warning", "value": None, "fired_at": NOON, "at": NOON, "evidence": []},
        "ticket": {"number": 1, "subject": "Help", "text": "Hello"},
    } | more  # fmt: skip


@pytest.fixture
def own(tmp_path):
    """Writes templates, and gives what reads them."""

    def make(**files):
        for name, text in files.items():
            locale, _, base = name.partition("__")
            (tmp_path / locale.replace("_", "-")).mkdir(exist_ok=True)
            (tmp_path / locale.replace("_", "-") / f"{base}.firing.jinja").write_text(text)
        return Templates(tmp_path, default_locale="en", default_zone="UTC")

    return make


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("name", sorted({file.stem for file in SHIPPED.glob("*/*.jinja")}))
def test_shipped_templates_are_there_in_each_language_and_bear_that_little_is_known(locale, name):
    templates = Templates(SHIPPED, default_locale="en", default_zone="UTC")
    for variables in (GIVEN, {}):
        for for_customer in (True, False):
            words = seen(variables, for_customer=for_customer)
            mail = templates.email(name, Reader(locale), words)
            assert mail.locale == locale
            assert mail.subject
            assert ("https://shop.example/unsubscribe/t" in mail.text) == for_customer
            assert "None" not in mail.text + mail.subject
            if not name.startswith("ticket."):
                assert "None" not in templates.sms(name, Reader(locale), words).text


def test_a_language_falls_back_to_the_broader_one_and_then_to_the_default(own):
    block = "{{% block subject %}}{0}{{% endblock %}}{{% block text %}}{0}{{% endblock %}}"
    templates = own(en__x=block.format("en"), de__x=block.format("de"), de_AT__x=block.format("de-AT"))
    wanted = {
        "de-AT": "de-AT",
        "de-at": "de-AT",
        "de-CH": "de",
        "de": "de",
        "fr-FR": "en",
        "../de": "en",
        None: "en",
    }
    assert {tag: templates.email("x.firing", Reader(tag), seen()).subject for tag in wanted} == wanted


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{% block text %}{% endblock %}", "template en/x.firing.jinja has no block subject"),
        ("{% block subject %}\n{{ vars.amont }}{% endblock %}", "template en/x.firing.jinja, line 2: 'amont' is missing"),
        ("{% block subject %}{{ nobody }}{% endblock %}", "line 1: 'nobody' is missing"),
        ("\n\n{% block subject %}{{ 'x' | money }}{% endblock %}", "line 3"),
        ("\n{% if %}", "template en/x.firing.jinja, line 2"),
        ("{% block subject %}{{ ''.__class__.__mro__ }}{% endblock %}", "unsafe"),
        ("{% block subject %}{{ vars.clear() }}{% endblock %}", "unsafe"),
        ("{% extends 'no-base' %}{% block subject %}s{% endblock %}{% block text %}{% include 'gone' %}{% endblock %}", "there is no gone"),
    ],
)  # fmt: skip
def test_a_failure_names_file_line_and_what_is_wrong(own, template, says):
    with pytest.raises(TemplateFailure, match="template ") as failure:
        own(en__x=template).email("x.firing", Reader(), seen({"amount": 1}))
    assert says in str(failure.value)


@pytest.mark.parametrize("name", ["../../etc/passwd", "missing"])
def test_a_template_outside_or_missing_is_said_with_where_it_was_looked_for(own, name):
    with pytest.raises(TemplateFailure, match=r"de/, en/"):
        own().email(name, Reader("de"), seen())


def test_what_a_customer_typed_is_text_in_html_and_a_variable_may_be_called_items(own):
    templates = own(
        en__x="{% block subject %}{{ vars.items }}{% endblock %}{% block text %}{{ vars.items }}\n\n- see https://a.example/?b=1&c=2.\n{% endblock %}",
        en__y="{% block subject %}s{% endblock %}{% block text %}t{% endblock %}{% block html %}<b>{{ vars.items }}</b>{% endblock %}",
    )
    found = templates.email("x.firing", Reader(), seen({"items": "<script>&"}))
    assert found.subject == "<script>&"
    assert "<p>&lt;script&gt;&amp;</p>" in found.html
    assert (
        '<li>see <a href="https://a.example/?b=1&amp;c=2">https://a.example/?b=1&amp;c=2</a>.</li>'
        in found.html
    )
    assert "<b>&lt;script&gt;</b>" in templates.email("y.firing", Reader(), seen({"items": "<script>"})).html

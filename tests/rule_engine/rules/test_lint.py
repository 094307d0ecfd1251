"""What `rules check` warns of."""

import pytest
from click.testing import CliRunner

from rule_engine.commands import rules
from rule_engine.rules.load import load_text


def warnings(*lines):
    text = "rules:\n" + "".join(f"  - {line}\n" for line in lines)
    return [
        (warning.code, warning.place.column, warning.message)
        for warning in load_text(text, "f.yaml").warnings
    ]


def code(rule):
    """The one warning on a rule."""
    [(found, _, _)] = warnings(rule)
    return found


@pytest.mark.parametrize(
    "rule",
    [
        "{id: a, on: order.placed, match: {}, where: false}",
        "{id: a, on: order.placed, match: {}, where: 1 > 2}",
        "{id: a, on: order.placed, match: {}, where: data.order_id == 'a' && data.order_id == 'b'}",
        "{id: a, on: order.*, match: {}, where: event.type == 'payment.failed'}",
        "{id: a, on: service.request, ratio: {of: data.status >= 500, gte: 5, within: 1m}}",
        "{id: a, on: service.request, ratio: {of: false, gte: 0.5, within: 1m}}",
        "{id: a, on: payment.failed, event_count: {gte: 3, within: 1m}, resolve_on: [payment.failed, payment.succeeded]}",
        "{id: a, on: payment.failed, value_count: {of: data.order_id, gte: 3, within: 1m}, resolve_on: payment.*}",
        "{id: a, on: payment.failed, value_count: {of: \"'card'\", gte: 2, within: 1m}}",
        "{id: a, on: payment.failed, group_by: data.order_id, value_count: {of: data.order_id, gte: 2, within: 1m}}",
    ],
)
def test_a_rule_that_can_never_fire(rule):
    assert code(rule) == "never-fires"


@pytest.mark.parametrize(
    "rule",
    [
        "{id: a, on: order.placed, group_by: data.order_id, match: {}, resolve_on: usage.step}",
        "{id: a, on: order.placed, group_by: data.order_id, absence: {expect: usage.step, within: 1h}}",
        "{id: a, on: order.placed, group_by: data.order_id, match: {}, resolve_on: {on: order.shipped, where: false}}",
        "{id: a, on: order.placed, match: {}, notify: [{to: customer, template: t, channels: [email], on: [firing, resolved]}]}",
        "{id: a, on: service.request, ratio: {of: data.status >= 500, gte: 0, within: 1m}}",
    ],
)
def test_a_rule_that_never_resolves(rule):
    assert code(rule) == "never-resolves"


def test_an_id_that_the_key_ignores():
    assert code("{id: a, on: order.placed, absence: {expect: order.shipped, within: 1h}}") == "ignored-id"
    assert code("{id: a, on: order.placed, match: {}, cooldown: 1h, group_by: data.currency}") == "ignored-id"
    assert not warnings(
        "{id: a, on: order.placed, group_by: data.order_id, absence: {expect: order.shipped, within: 1h}}"
    )
    assert not warnings("{id: a, on: payment.failed, event_count: {gte: 3, within: 1h}}")
    assert not warnings("{id: a, on: order.placed, match: {}}")


def test_event_types_and_fields_that_nobody_knows():
    assert warnings("{id: a, on: order.placd, match: {}}") == [
        (
            "unknown-type",
            17,
            "the catalogue does not know the event type 'order.placd'; did you mean 'order.placed'?",
        )
    ]
    assert warnings("{id: a, on: payment.failed, match: {}, where: data.amout > 3}") == [
        ("unknown-field", 51, "payment.failed has no field 'amout' in data; did you mean 'amount'?")
    ]
    assert warnings("{id: a, on: payment.failed, match: {}, vars: {l: data.?card.?lst4.orValue('')}}") == [
        ("unknown-field", 54, "payment.failed has no field 'lst4' in data.card; did you mean 'last4'?")
    ]
    assert code("{id: a, on: order.placed, match: {}, where: customer.email != ''}") == "unknown-field"
    assert not warnings(
        "{id: a, on: order.placed, match: {}, where: customer.plan == 'pro' && size(data.items) > 0}"
    )
    assert not warnings(
        '{id: a, on: order.placed, match: {}, where: "data.items.all(data, data.anything > 1)"}'
    )


def test_a_fraction_lost_in_a_division_of_ints():
    assert (
        code("{id: a, on: order.placed, match: {}, where: data.total / data.total > 0.8}") == "int-division"
    )
    assert not warnings("{id: a, on: order.placed, match: {}, where: double(data.total) / data.total > 0.8}")
    assert not warnings("{id: a, on: order.placed, match: {}, where: data.total / data.total > 2}")


def test_words_without_an_effect():
    assert code("{id: a, on: order.placed, match: {}, resolve_after: 1h}") == "no-effect"
    assert code("{id: a, on: payment.failed, event_count: {gte: 2, within: 1h}, lookback: 1m}") == "no-effect"
    for more in ("pause_on: order.cancelled", "resume_on: order.cancelled"):
        absence = f"{{expect: order.shipped, within: 1h, {more}}}"
        assert (
            code(f"{{id: a, on: order.placed, group_by: data.order_id, absence: {absence}}}") == "no-effect"
        )
    assert (
        code(
            "{id: a, on: order.placed, group_by: data.order_id, absence: {expect: order.shipped, within: 1h}, keep_firing_for: 1m}"
        )
        == "no-effect"
    )
    assert (
        code(
            "{id: a, on: service.request, scope: global, affected: true, ratio: {of: data.status > 499, gte: 0.1, within: 1m, every: 10s}}"
        )
        == "no-effect"
    )


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFOREHAND_TEMPLATES", raising=False)
    (tmp_path / "rules.yaml").write_text(
        "rules:\n  - id: late\n    on: order.placed\n    group_by: data.order_id\n    absence: {expect: order.delivered, within: 1h}\n"
        "    notify: [{to: customer, template: late, channels: [email, sms]}]\n"
    )
    for locale in ("en", "de"):
        folder = tmp_path / "templates" / locale
        folder.mkdir(parents=True)
        for occasion in ("firing", "resolved"):
            (folder / f"late.{occasion}.jinja").write_text(
                "{% block subject %}{% endblock %}{% block text %}{% endblock %}{%- block sms -%}{% endblock %}"
            )
    return tmp_path


def check(*arguments):
    return CliRunner().invoke(rules, ["check", "rules.yaml", *arguments])


def test_templates_in_every_language_and_for_every_channel_are_no_warning(shop):
    assert "no problems" in check().stdout


def test_a_template_missing_in_one_language(shop):
    (shop / "templates" / "de" / "late.resolved.jinja").rename(
        shop / "templates" / "de" / "lte.resolved.jinja"
    )
    result = check()
    assert result.exit_code == 0
    assert (
        "rules.yaml:6:39: warning: rule late: there is no template 'late' for de, resolved: expected templates/de/late.resolved.jinja; did you mean 'lte'?"
        in result.stdout
    )


def test_a_template_without_a_channels_block(shop):
    (shop / "templates" / "en" / "late.firing.jinja").write_text(
        "{% block subject %}{% endblock %}{% block text %}{% endblock %}"
    )
    assert "late.firing.jinja has no block 'sms', which sms needs" in check().stdout

"""What a template gets to see of an alert, a customer and a rule, and the text that comes of it."""

from typing import Any

from contracts.alerts import Transition
from contracts.records import Profile, TicketRecord
from notifier.channels import Content
from notifier.pipeline import Draft
from notifier.templates import Reader, Templates


class Writer:
    """Writes drafts in the name of `company`."""

    def __init__(self, templates: Templates, company: str) -> None:
        self._templates = templates
        self._company = company

    def __call__(self, draft: Draft) -> Content:
        """Raises TemplateFailure."""
        profile = draft.profile if draft.to_customer and draft.profile else Profile()
        reader = Reader(profile.locale, profile.time_zone)
        name = f"{draft.template}.{draft.kind}"
        seen = variables(draft, profile, self._company)
        return (
            self._templates.sms(name, reader, seen)
            if draft.channel == "sms"
            else self._templates.email(name, reader, seen)
        )


def variables(draft: Draft, profile: Profile, company: str) -> dict[str, Any]:
    """All that a template can name, as rules/templates/README.md lists it."""
    seen: dict[str, Any] = {
        "company": company,
        "customer": {
            "id": draft.customer,
            "name": profile.name,
            "plan": profile.plan,
            "attributes": profile.attributes,
        },
        "for_customer": draft.to_customer,
        "occasion": draft.kind,
        "unsubscribe_url": draft.unsubscribe_url,
    }
    if isinstance(draft.about, TicketRecord):
        ticket = draft.about
        return seen | {
            "ticket": {"number": ticket.number, "subject": ticket.subject, "text": ticket.text or ""}
        }
    return seen | _of_alert(draft.about, draft)


def _of_alert(transition: Transition, draft: Draft) -> dict[str, Any]:
    words = transition.words
    severity = (draft.entry.severity if draft.entry else None) or transition.severity
    return {
        "vars": transition.vars,
        "alert": {
            "id": transition.alert,
            "key": transition.key if isinstance(transition.key, str) else ", ".join(transition.key),
            "severity": severity,
            "value": transition.value,
            "fired_at": transition.fired_at,
            "at": transition.at,
            "evidence": transition.evidence,
        },
        "rule": {
            "id": transition.rule,
            "title": words.title,
            "description": words.description,
            "owner": words.owner,
            "runbook": words.runbook,
            "labels": words.labels,
        },
    }

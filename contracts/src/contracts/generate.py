"""Writes what is generated from the contracts: asyncapi.yaml and the JSON Schemas. `--check` says whether they are up to date."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import yaml

from contracts import alerts, records
from contracts.catalogue import CATALOGUE
from contracts.envelope import CONTENT_TYPE
from contracts.topics import (
    ALERTS,
    CONTROLS,
    CUSTOMERS,
    ENGINE_LANES,
    ENGINE_STATUS,
    EVENTS,
    MESSAGES,
    RULES,
    SIGNALS,
    TICKETS,
    TOPICS,
)

HERE = Path(__file__).resolve().parents[2]

# the type of `data` on each topic whose records have one shape
DATA: dict[str, type[msgspec.Struct]] = {
    ALERTS.name: alerts.Transition,
    CUSTOMERS.name: records.Profile,
    MESSAGES.name: records.Message,
    TICKETS.name: records.TicketRecord,
    CONTROLS.name: records.Pause,
    RULES.name: records.RuleFile,
    ENGINE_STATUS.name: records.RuleFileStatus,
    ENGINE_LANES.name: records.LaneRules,
}


def documents() -> dict[Path, str]:
    """Every generated file with its text."""
    types = {kind.name: kind.data for kind in CATALOGUE.values()}
    _, schemas = msgspec.json.schema_components(
        {*types.values(), *DATA.values()}, ref_template="#/components/schemas/{name}"
    )
    return {
        HERE / "asyncapi.yaml": yaml.safe_dump(
            _asyncapi(schemas), sort_keys=False, width=110, allow_unicode=True
        )
    }


def _asyncapi(schemas: dict[str, Any]) -> dict[str, Any]:
    messages: dict[str, Any] = {}
    for kind in CATALOGUE.values():
        messages[kind.name] = _message(kind.name, kind.says, kind.data) | {
            "examples": [{"payload": {"type": kind.name, "data": kind.example}}]
        }
    for name, data in DATA.items():
        messages[name] = _message(None, next(topic.holds for topic in TOPICS if topic.name == name), data)
    channels = {}
    for topic in TOPICS:
        if topic.name in DATA:
            names = [topic.name]
        elif topic.name in {EVENTS.name, SIGNALS.name}:
            names = list(CATALOGUE)
        else:
            names = []
        channels[topic.name] = {
            "address": topic.name,
            "description": f"{topic.holds[0].upper()}{topic.holds[1:]}. Key: {topic.key}. "
            f"Written by {', '.join(topic.written_by)}; read by {', '.join(topic.read_by)}.",
            "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in names},
            "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": _kafka(topic.kafka_config())}},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Beforehand",
            "version": "1",
            "description": "Generated from contracts/ by `python -m contracts.generate`. Every message is a CloudEvent 1.0 in JSON.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "components": {"messages": messages, "schemas": dict(sorted(schemas.items()))},
    }


def _kafka(config: dict[str, str]) -> dict[str, Any]:
    return {
        name: [value] if name == "cleanup.policy" else int(value) if value.isdigit() else value
        for name, value in config.items()
    }


def _message(kind: str | None, says: str, data: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "summary": says,
        "contentType": CONTENT_TYPE,
        "payload": {
            "type": "object",
            "required": ["specversion", "id", "source", "type", "time"],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string"},
                "source": {"type": "string"},
                "type": {"type": "string"} if kind is None else {"const": kind},
                "time": {"type": "string", "format": "date-time"},
                "customerid": {"type": "string"},
                "data": {"$ref": f"#/components/schemas/{data.__name__}"},
            },
        },
    }


def main() -> int:
    stale = [path for path, text in documents().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.name} is out of date: run `python -m contracts.generate`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in documents().items():
        path.write_text(text)
        print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

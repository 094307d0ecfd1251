"""The golden examples in contracts/examples: what writers write and readers must be able to read."""

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

import contracts
from contracts import generate
from contracts.catalogue import CATALOGUE, problems_of
from contracts.envelope import decode, encode
from contracts.records import Profile, public
from contracts.topics import TOPICS

FOLDER = Path(contracts.__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.json"))
TOPIC_NAMES = sorted((topic.name for topic in TOPICS), key=len, reverse=True)


def topic_of(path: Path) -> str:
    return next(name for name in TOPIC_NAMES if path.name.startswith(f"{name}."))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_an_event_and_is_written_as_it_was_read(path):
    read = decode(path.read_bytes())
    assert json.loads(encode(read)) == json.loads(path.read_bytes())


@pytest.mark.parametrize(
    "path", [p for p in EXAMPLES if topic_of(p) in generate.DATA], ids=lambda path: path.stem
)
def test_a_record_has_the_shape_that_its_topic_promises_field_by_field(path):
    data = decode(path.read_bytes()).data
    record = msgspec.convert(data, generate.DATA[topic_of(path)])
    assert json.loads(msgspec.json.encode(record)) == data


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_known_type_has_an_example_on_signals(name):
    signal = decode((FOLDER / f"signals.{name}.json").read_bytes())
    assert signal.type == name
    assert problems_of(name, signal.customerid, signal.data) == []


def test_a_profile_goes_to_signals_without_its_addresses():
    whole = decode((FOLDER / "customers.customer.updated.json").read_bytes())
    signal = decode((FOLDER / "signals.customer.updated.json").read_bytes())
    profile = msgspec.convert(whole.data, Profile)
    assert msgspec.to_builtins(public(profile)) == signal.data
    assert not {"email", "phone", "name", "address"} & signal.data.keys()


def test_each_topic_with_a_shape_has_an_example():
    assert generate.DATA.keys() <= {topic_of(path) for path in EXAMPLES}


def test_what_is_generated_from_the_contracts_is_up_to_date():
    for path, text in generate.documents().items():
        assert path.read_text() == text, f"run python -m contracts.generate: {path.name} is stale"


def test_the_schemas_in_asyncapi_accept_the_examples():
    import yaml

    document = yaml.safe_load((FOLDER.parent / "asyncapi.yaml").read_text())
    for path in EXAMPLES:
        message = json.loads(path.read_bytes())
        topic = topic_of(path)
        name = topic if topic in generate.DATA else message["type"]
        if name == "customer.updated":
            continue  # on signals it is the public part, on events the whole
        schema = document["components"]["messages"][name]["payload"] | {"components": document["components"]}
        errors = list(Draft202012Validator(schema).iter_errors(message))
        assert errors == [], path.name

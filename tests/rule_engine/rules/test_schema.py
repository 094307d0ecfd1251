"""The JSON Schema for editors says what the loader does."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from rule_engine.commands import rules
from rule_engine.rules.reading import Reader, Unread
from rule_engine.rules.schema import file_schema
from rule_engine.rules.values import JsonObject
from rule_engine.rules.yaml import YamlError, decoded, parse

EXAMPLES = Path(__file__).parents[3] / "rules"
VALIDATOR = Draft202012Validator(file_schema())
# what is wrong only between keys, or beyond one file's reach, is the loader's business
BEYOND = {"absence", "expressions", "global", "ratio", "durations"}


def json_of(text):
    node = parse(text)
    return JsonObject().read(node, Reader("f", text))


def test_it_is_a_schema_and_every_key_has_a_description():
    Draft202012Validator.check_schema(file_schema())
    bare = []

    def visit(part, path):
        if isinstance(part, dict):
            for name, value in part.get("properties", {}).items():
                if not value.get("description"):
                    bare.append(f"{path}/{name}")
                if "examples" not in value and name not in {"rules", "tests"}:
                    bare.append(f"{path}/{name} (example)")
            for name, value in part.items():
                visit(value, f"{path}/{name}")
        elif isinstance(part, list):
            for each in part:
                visit(each, path)

    visit(file_schema(), "")
    assert bare == []


def test_the_examples_it_shows_are_valid():
    def visit(part):
        if isinstance(part, dict):
            for example in part.get("examples", ()):
                schema = {key: value for key, value in part.items() if key != "examples"} | {
                    "$defs": file_schema()["$defs"]
                }
                Draft202012Validator(schema).validate(example)
            for value in part.values():
                visit(value)
        elif isinstance(part, list):
            for each in part:
                visit(each)

    visit(file_schema()["properties"])


def test_the_schema_beside_the_examples_is_fresh():
    printed = CliRunner().invoke(rules, ["schema"]).stdout
    assert json.loads(printed) == file_schema()
    assert (EXAMPLES / "schema.json").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_examples_fit_it_and_name_it(file):
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    VALIDATOR.validate(json_of(text))


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "bad").glob("*.yaml")), ids=lambda file: file.stem
)
def test_a_bad_file_is_refused_by_the_schema_too(file):
    try:
        value = json_of(decoded(file.read_bytes()))
    except (YamlError, Unread):
        return  # no YAML, or no mapping at all
    assert file.stem in BEYOND or not VALIDATOR.is_valid(value)

"""`beforehand rules`: what people do with rules."""

from __future__ import annotations

import json

import click

from rule_engine.commands.backtest import backtest
from rule_engine.commands.check import check
from rule_engine.commands.eval import evaluate
from rule_engine.commands.explain import explain
from rule_engine.commands.list import list_files
from rule_engine.commands.new import new
from rule_engine.commands.push import push
from rule_engine.commands.test import test
from rule_engine.commands.why import why
from rule_engine.rules.schema import file_schema

__all__ = ["rules"]


@click.group()
def rules() -> None:
    """Write, try and publish the rules that say when a customer is to be told.

    \b
    beforehand rules new                                   a first rule of three answers, with a test
    beforehand rules check rules/                          find mistakes
    beforehand rules test rules/                           run the tests in the files
    beforehand rules backtest rules/ --events past.ndjson  see what they would have done
    beforehand rules push rules/                           let the engine run them
    beforehand rules list                                  which version runs where, and who pushed it
    beforehand rules why RULE --customer ID --since 1d     why it did not fire
    beforehand rules explain ALERT_ID                      why it did, and what became of the messages
    beforehand rules eval EXPR --event event.json          the value of an expression, and of each part
    """  # noqa: D301 - click wants a real backspace


@rules.command()
def schema() -> None:
    """Print the JSON Schema of a rule file, for editors.

    Name it in the file's first line: # yaml-language-server: $schema=schema.json
    """
    click.echo(json.dumps(file_schema(), indent=2, ensure_ascii=False))


for command in (new, check, test, backtest, evaluate, push, list_files, why, explain):
    rules.add_command(command)

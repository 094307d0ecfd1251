"""A rule file."""

from __future__ import annotations

from rule_engine.rules.reading import Key, ListOfTables, Table
from rule_engine.rules.values import Whole
from rule_engine.rules.words.intervals import Intervals
from rule_engine.rules.words.rule import DEFAULTS, RULE
from rule_engine.rules.words.tests import TEST

FILE = Table(
    "a rule file",
    [
        Key("version", Whole(1, 1), "The language's version. 1 by default.", 1),
        Key("defaults", DEFAULTS, "Keys for every rule of the file that does not have its own.", {"owner": "payments"}),
        Key("time_intervals", Intervals(), "Times by which rules count and messages go out, usable by name from any file.",
            {"warehouse": {"location": "Europe/Berlin", "times": "mon-fri 08:00-18:00; sat 09:00-13:00", "holidays": "DE-BE"}}),
        Key("rules", ListOfTables(RULE, "a list of rules", least=0, most=10_000), "The rules."),
        Key("tests", ListOfTables(TEST, "a list of tests", least=0, most=10_000), "Tests of the rules, run by `beforehand rules test`."),
    ],
)  # fmt: skip

"""A changed rule: what outlives an edit, what starts anew, and what is ended (docs/rule-language.md, "A changed rule")."""

from typing import Any

import pytest
from lanes import GlobalLane, Lane, happened
from streams import START, S, event_at

from rule_engine.rules.load import load_text

COUNT = """
  - id: r
    on: [a, b]
    group_by: data.k
    event_count: {gte: 2, within: 10s}
    notify: [{to: operations, template: t}, {to: operations, template: t, after: 30s}]
"""


def rules(text: str, *edits: tuple[str, str]) -> dict[str, Any]:
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return {"rules.yaml": load_text(f"version: 1\nrules:{text}", "rules.yaml")}


def fired() -> Lane:
    """Fired at 1 s, by events at 0 s and 1 s; the clock is at 2 s."""
    lane = Lane(rules(COUNT))
    lane.run([event_at(0, "a"), event_at(1, "a"), event_at(2, "x")])
    assert happened(lane) == [(1, "firing")]
    return lane


def edit(lane: Lane, *edits: tuple[str, str]) -> None:
    lane.engine.adopt(rules(COUNT, *edits))
    lane.take()
    lane.crash()  # and what it remembers of that is in the changelog


def test_what_does_not_change_the_meaning_leaves_windows_alone() -> None:
    lane = fired()
    edit(lane, ("id: r", "id: r\n    title: Another"))
    lane.until(START + 60 * S)
    assert happened(lane) == [(1, "firing"), (10, "resolved")]
    assert lane.transitions[1].seq == 2


def test_the_alert_outlives_a_change_of_meaning_and_is_judged_from_the_first_full_window_on() -> None:
    lane = fired()
    edit(lane, ("within: 10s", "within: 20s"))
    lane.run([event_at(5, "a")])
    lane.until(START + 60 * S)
    assert happened(lane) == [(1, "firing"), (22, "resolved")]
    assert lane.transitions[0].alert == lane.transitions[1].alert
    assert lane.transitions[1].value == 1
    assert not lane.state


def test_what_is_still_true_in_the_first_full_window_goes_on_firing() -> None:
    lane = fired()
    edit(lane, ("within: 10s", "within: 20s"))
    lane.run([event_at(5, "a"), event_at(6, "a")])
    lane.until(START + 60 * S)
    assert happened(lane) == [(1, "firing"), (25, "resolved")]


def test_windows_start_anew_when_the_meaning_changes() -> None:
    lane = Lane(rules(COUNT))
    lane.run([event_at(0, "a")])
    edit(lane, ("on: [a, b]", "on: a"))
    lane.run([event_at(1, "a")])
    assert happened(lane) == []
    lane.run([event_at(2, "a")])
    assert happened(lane) == [(2, "firing")]
    assert lane.transitions[0].evidence == ["a@1", "a@2"]


@pytest.mark.parametrize("ratio", ["within: 10s", "within: 10s, every: 5s"])
def test_a_ratio_that_fires_says_nothing_until_a_window_of_the_new_version_is_full(ratio: str) -> None:
    text = COUNT.replace("event_count: {gte: 2, within: 10s}", f"ratio: {{of: data.bad, gte: 0.5, {ratio}}}")
    lane = Lane(rules(text))
    lane.run([event_at(0, "a", bad=True), event_at(6, "x")])
    assert happened(lane)[-1][1] == "firing"
    lane.engine.adopt(rules(text, ("gte: 0.5", "gte: 0.6")))
    lane.run([event_at(7, "a", bad=False), event_at(14, "a", bad=False)])
    lane.take()
    lane.crash()
    assert len(lane.transitions) == 1
    lane.until(START + 100 * S)
    assert happened(lane)[1:] == [(20 if "every" in ratio else 16, "resolved")]


@pytest.mark.parametrize(("more", "end"), [("no_data: 7s", (23, "resolved")), ("forget: 20s", (40, "ended"))])
def test_silence_after_an_edit_is_reckoned_from_the_first_full_window(
    more: str, end: tuple[int, str]
) -> None:
    text = COUNT.replace(
        "event_count: {gte: 2, within: 10s}",
        f"ratio: {{of: data.bad, gte: 0.5, within: 10s, every: 5s, {more}}}",
    )
    lane = Lane(rules(text))
    lane.run([event_at(0, "a", bad=True), event_at(6, "x")])
    lane.engine.adopt(rules(text, ("gte: 0.5", "gte: 0.6")))
    lane.take()
    lane.crash()
    lane.until(START + 22 * S)
    assert len(lane.transitions) == 1
    lane.until(START + 100 * S)
    assert [each for each in happened(lane)[1:] if each[1] != "due"] == [end]
    assert not lane.state


def test_what_fires_is_ended_by_resolve_on_after_an_edit_as_ever() -> None:
    lane = fired()
    edit(lane, ("on: [a, b]", "on: a\n    resolve_on: r"))
    lane.run([event_at(3, "r")])
    assert happened(lane) == [(1, "firing"), (3, "resolved")]


def test_an_armed_key_starts_anew_and_a_firing_absence_is_ended_by_what_was_expected() -> None:
    text = "\n  - {id: r, on: a, group_by: data.k, absence: {expect: e, within: 10s}}\n"
    lane = Lane(rules(text))
    lane.run([event_at(0, "a", k="fires"), event_at(8, "a", k="armed"), event_at(11, "x")])
    lane.engine.adopt(rules(text, ("within: 10s", "within: 11s")))
    lane.run([event_at(12, "e", k="fires"), event_at(40, "x")])
    assert happened(lane) == [(10, "firing"), (12, "resolved")]


def test_the_cooldown_outlives_an_edit() -> None:
    text = COUNT.replace("event_count", "cooldown: 20s\n    event_count")
    lane = Lane(rules(text))
    lane.run([event_at(0, "a"), event_at(1, "a"), event_at(12, "x")])
    lane.engine.adopt(rules(text, ("on: [a, b]", "on: a")))
    lane.run([event_at(13, "a"), event_at(14, "a"), event_at(40, "x")])
    assert happened(lane) == [(1, "firing"), (10, "resolved"), (21, "firing"), (23, "resolved")]


def test_entries_that_were_due_stay_so_and_the_others_are_the_new_version_s() -> None:
    steady = ("event_count: {gte: 2, within: 10s}", "match: {}\n    resolve_on: r")
    lane = Lane(rules(COUNT, steady))
    lane.run([event_at(0, "a"), event_at(1, "x")])
    lane.engine.adopt(
        rules(
            COUNT, steady, ("after: 30s}", "after: 20s}, {to: operations, template: t, after: 40s, every: 15s}, {to: operations, template: t}")
        )
    )  # fmt: skip
    lane.take()
    lane.crash()
    lane.until(START + 60 * S)
    due = [
        (at, [entry.index for entry in each.notify])
        for (at, _), each in zip(happened(lane), lane.transitions, strict=True)
    ]
    assert due == [(0, [0]), (20, [1]), (40, [2]), (55, [2])]


TO = "to: operations, template: t"


@pytest.mark.parametrize(
    ("before", "after", "clock", "due"),
    [
        ([f"{TO}", f"{TO}, every: 15s"], [f"{TO}, severity: critical", f"{TO}, every: 15s"], 0, [(15, 1), (30, 1), (45, 1)]),
        ([f"{TO}", f"{TO}, every: 15s"], [f"{TO}", f"{TO}, every: 15s", f"{TO}, after: 1s"], 20, [(15, 1), (30, 1), (45, 1)]),
        ([f"{TO}"], [f"{TO}", f"{TO}, after: 5s, every: 15s"], 21, [(35, 1), (50, 1)]),
        ([f"{TO}"], [f"{TO}", f"{TO}, after: 5s, every: 15s"], 20, [(20, 1), (35, 1), (50, 1)]),
        ([f"{TO}"], [f"{TO}", f"{TO}, after: 20s"], 20, [(20, 1)]),
        ([f"{TO}"], [f"{TO}", f"{TO}, after: 20s"], 21, []),
        ([f"{TO}"], [f"{TO}, every: 20s"], 30, [(40, 0)]),
        ([f"{TO}, every: 20s"], [f"{TO}"], 30, [(20, 0)]),
    ],
)  # fmt: skip
def test_entries_come_due_by_the_new_version_reckoned_from_the_firing(
    before: list[str], after: list[str], clock: int, due: list[tuple[int, int]]
) -> None:
    def version(entries: list[str]) -> dict[str, Any]:
        return rules(
            f"\n  - {{id: r, on: a, match: {{}}, resolve_on: r, notify: [{', '.join(f'{{{e}}}' for e in entries)}]}}\n"
        )

    lane = Lane(version(before))
    lane.run([event_at(0, "a"), event_at(clock, "x")])
    lane.engine.adopt(version(after))
    lane.take()
    lane.crash()
    lane.until(START + 59 * S)
    told = [
        (each[0], each[1], entry.index)
        for each, t in zip(happened(lane), lane.transitions, strict=True)
        for entry in t.notify
    ]
    assert [(at, index) for at, state, index in told if state == "due"] == due


def test_who_was_told_by_an_entry_that_is_gone_hears_no_end_from_another() -> None:
    text = COUNT.replace(", {to: operations, template: t, after: 30s}", ", {to: operations, template: t}")
    lane = Lane(rules(text))
    lane.run([event_at(0, "a"), event_at(1, "a")])
    lane.engine.adopt(rules(text, (", {to: operations, template: t}", "")))
    lane.until(START + 60 * S)
    assert [(each.state, [entry.index for entry in each.notify]) for each in lane.transitions] == [
        ("firing", [0, 1]), ("resolved", [0]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        ("group_by: data.k", "group_by: data.j"),
        ("group_by: data.k", "group_by: [data.k]"),
        ("event_count: {gte: 2, within: 10s}", "match: {}\n    resolve_on: r"),
        ("on: [a, b]", "on: [a, b]\n    mode: 'off'"),
        ("id: r", "id: other"),
    ],
)
def test_alerts_end_silently_when_the_rule_is_removed_off_or_another_one(change: tuple[str, str]) -> None:
    lane = fired()
    before = set(lane.state)
    edit(lane, change)
    assert happened(lane) == [(1, "firing"), (2, "ended")]
    assert before
    assert not lane.state
    lane.run([event_at(3, "r"), event_at(60, "x")])
    assert happened(lane) == [(1, "firing"), (2, "ended")]


def test_a_match_that_nothing_ends_any_more_is_ended() -> None:
    text = COUNT.replace("event_count: {gte: 2, within: 10s}", "match: {}\n    resolve_on: r")
    lane = Lane(rules(text))
    lane.run([event_at(0, "a")])
    lane.engine.adopt(rules(text, ("\n    resolve_on: r", "")))
    assert happened(lane) == [(0, "firing"), (0, "ended")]
    lane.run([event_at(1, "a"), event_at(2, "a")])
    assert happened(lane)[2:] == [(1, "firing"), (2, "firing")]


def test_no_other_rule_s_state_is_touched() -> None:
    other = COUNT.replace("id: r", "id: other")
    lane = Lane(rules(COUNT + other))
    lane.run([event_at(0, "a")])
    lane.engine.adopt(rules(COUNT + other.replace("within: 10s", "within: 9s")))
    lane.run([event_at(1, "a")])
    assert [(at, lane.transitions[0].rule) for at, _ in happened(lane)] == [(1, "r")]


OUTAGE = """
  - id: out
    on: a
    scope: global
    affected: true
    ratio: {of: data.bad, gte: 0.5, within: 10s, every: 5s}
    notify: [{to: affected, template: t, channels: [email]}]
"""


def exchange(lane: Lane, judge: GlobalLane) -> None:
    clock = lane.engine.clock_partial(idle=False)
    judge.run([*(value for _, value in lane.take().partials), *([] if clock is None else [clock])])
    lane.engine.hear([value for _, value in judge.take().verdicts if value is not None])
    lane.take()


def test_a_global_rule_that_is_removed_affects_nobody_when_it_comes_back() -> None:
    lane, judge = Lane(rules(OUTAGE)), GlobalLane(rules(OUTAGE), 1)
    lane.run([event_at(0, "a", bad=True), event_at(6, "x")])
    exchange(lane, judge)
    assert happened(judge) == [(5, "firing")]
    assert happened(lane) == [(5, "firing")]
    for files in (rules(COUNT), rules(OUTAGE)):
        lane.engine.adopt(files)
        judge.engine.adopt(files)
        exchange(lane, judge)
        lane.crash()
        judge.crash()
    assert happened(judge)[1:] == [(6, "ended")]
    assert happened(lane)[1:] == [(6, "ended")]
    lane.run([event_at(7, "a", customer="c2", bad=True)])
    exchange(lane, judge)
    assert len(lane.transitions) == 2
    lane.run([event_at(11, "x")])
    exchange(lane, judge)
    assert happened(lane)[2:] == [(10, "firing")]
    assert lane.transitions[2].customer == "c2"


@pytest.mark.parametrize("edit", [("gte: 0.5", "gte: 0.6"), ("id: out", "id: out\n    title: Down")])
def test_who_is_affected_outlives_an_edit(edit: tuple[str, str]) -> None:
    """What fires is judged by the new version from its first full window on: then it ends, for those affected as well."""
    lane, judge = Lane(rules(OUTAGE)), GlobalLane(rules(OUTAGE), 1)
    lane.run([event_at(0, "a", bad=True), event_at(6, "x")])
    exchange(lane, judge)
    for each in (lane, judge):
        each.engine.adopt(rules(OUTAGE, edit))
    exchange(lane, judge)
    lane.crash()
    judge.crash()
    lane.run([event_at(7, "a", customer="c2", bad=True)])
    exchange(lane, judge)
    assert [(each.customer, each.state) for each in lane.transitions] == [("c1", "firing"), ("c2", "firing")]
    lane.run([event_at(18, "a", bad=False), event_at(30, "x")])
    exchange(lane, judge)
    ends = [(each.customer, each.state, each.seq) for each in lane.transitions[2:]]
    assert sorted(ends) == [("c1", "resolved", 2), ("c2", "resolved", 2)]
    assert {each.alert for each in lane.transitions[2:]} == {each.alert for each in lane.transitions[:2]}

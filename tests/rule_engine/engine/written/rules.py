"""Rules of every condition and option, for hypothesis."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hypothesis import strategies as st
from reference.rule import Entry, Spec
from reference.told import DAY, Data, Key
from reference.windows import Windowed
from written import counting, selectors, waiting, windows
from written.clause import Clause, Draw, Written, seconds

S = 1_000_000

_CONDITIONS: dict[str, Callable[..., Clause]] = {
    "match": counting.match,
    "event_count": counting.event_count,
    "value_count": counting.value_count,
    "ratio": counting.ratio,
    "ratio, every": windows.ratio,
    "aggregate": counting.aggregate,
    "aggregate, every": windows.aggregate,
    "spike": windows.spike,
    "forecast": windows.forecast,
    "absence": waiting.absence,
}
_WITH_SELECTORS = ("absence", "sequence", "any_order")
KINDS = tuple(_CONDITIONS)
GLOBAL_KINDS = ("ratio, every",)


@st.composite
def rules(draw: st.DrawFn, kinds: Sequence[str] = KINDS, name: str = "r1") -> Written:
    """Of scope customer."""
    rule, kind = Draw(draw), draw(st.sampled_from(kinds))
    key_text, key = rule.one_of(
        (None, selectors.key_of_customer),
        ("data.k", selectors.key_of_k),
        ("data.k", selectors.key_of_k),
        ("[data.k, data.v]", selectors.key_of_both),
    )
    return _rule(draw, kind, name, key_text, key)


@st.composite
def global_rules(
    draw: st.DrawFn,
    kinds: Sequence[str] = GLOBAL_KINDS,
    *,
    affected: bool,
    over: bool = True,
    name: str = "r1",
) -> Written:
    """`over`: some have a `resolve_after` that is reached."""
    kind = draw(st.sampled_from(kinds))
    key_text, key = draw(
        st.sampled_from(
            [(None, selectors.one_key), ("data.k", selectors.key_of_k), ("data.k", selectors.key_of_k)]
        )
    )
    return _rule(draw, kind, name, key_text, key, is_global=True, affected=affected, over=over)


def _rule(
    draw: st.DrawFn, kind: str, name: str, key_text: str | None, key: Callable[..., Key | None], *,
    is_global: bool = False, affected: bool = False, over: bool = True,
) -> Written:  # fmt: skip
    rule = Draw(draw)
    one_part = key_text == "data.k" and not is_global
    rule.key("id", name)
    rule.key("title", "t")
    if is_global:
        rule.key("scope", "global", "scope: global")
    if affected:
        rule.key("affected", "true", "affected")
    make = _CONDITIONS[kind]
    clause = (partial(make, one_part=one_part) if kind in _WITH_SELECTORS else make)(Draw(draw))
    rule.keys.append(clause.text)
    more: dict[str, Any] = {"id": name, "condition": clause.asked, "key": key, "on": ()}
    if key_text is not None:
        rule.key("group_by", key_text, "group_by, a list" if key_text.startswith("[") else "group_by")
    if "sequence" not in clause.words:
        on_text, more["on"] = selectors.on(rule, one_part=one_part)
        rule.key("on", on_text)
        more |= _where(rule, is_global=is_global)
    resolvable = rule.one_of(False, not is_global or rule.one_of(False, False, True))
    if resolvable:  # a rule without is met on a shorter path
        more |= _resolve_on(rule, one_part=one_part, otherwise="where" in more)
    more |= _waits(rule, clause, more)
    default_end = 30 * DAY if clause.asked.momentary else 365 * DAY
    resolve_after = rule.maybe("resolve_after", None, None, *((4, 15) if over else ()), show=seconds)
    more["resolve_after"] = default_end if resolve_after is None else resolve_after * S
    more["cooldown"] = (rule.maybe("cooldown", None, None, 0, 3, 8, show=seconds) or 0) * S
    lookback = rule.maybe("lookback", None, 0, 0, 2, 5, show=seconds)
    more |= {} if lookback is None else {"lookback": lookback * S}
    lasts = not clause.asked.momentary or resolvable
    more["entries"] = tuple(_entries(rule, lasts=lasts, affected=affected))
    more |= _vars(rule, more, is_global=is_global)
    return Written(tuple(rule.keys), Spec(**more), frozenset(rule.words | clause.words))


def _where(rule: Draw, *, is_global: bool) -> dict[str, Any]:
    always = (None, lambda data, previous: True)
    below = ("data.v < 2", lambda data, previous: data["v"] < 2)
    rising = ("data.v >= previous.?v.orValue(0)", lambda data, previous: data["v"] >= previous.get("v", 0))
    wrong = ("data.n > 0", lambda data, previous: _above_zero(data))
    text, where = rule.one_of(always, always, always, below, wrong, below if is_global else rising)
    if text is None:
        return {}
    rule.key("where", f'"{text}"', "where with previous" if "previous" in text else "where")
    return {"where": where, "uses_previous": "previous" in text}


def _above_zero(data: Data) -> bool | None:
    """None for an error, as for a text."""
    value = data.get("n")
    return value > 0 if isinstance(value, int | float) else None


def _resolve_on(rule: Draw, *, one_part: bool, otherwise: bool) -> dict[str, Any]:
    """`otherwise`: the rule has a `where` that may be false."""
    if otherwise and rule.one_of(True, True, False):
        if rule.one_of(True, False):
            rule.key("resolve_on", "otherwise", "resolve_on: otherwise")
            return {"otherwise": True}
        rule.key("resolve_on", "[otherwise, r]", "resolve_on: otherwise")
        return {"otherwise": True, "resolve_on": (selectors.R,)}
    text, picks = selectors.ends(rule, one_part=one_part)
    rule.key("resolve_on", text, "resolve_on")
    return {"resolve_on": picks}


def _waits(rule: Draw, clause: Clause, more: dict[str, Any]) -> dict[str, int]:
    """With windows that hop, a multiple of `every`."""
    step = clause.asked.every // S if isinstance(clause.asked, Windowed) else 1
    otherwise = more.get("otherwise", False)
    waits = {}
    if not clause.asked.momentary or otherwise or more.get("resolve_on"):
        waits["wait"] = (rule.maybe("for", None, None, 1 * step, 2 * step, 5 * step, show=seconds) or 0) * S
    if not clause.asked.momentary or otherwise:
        keep = rule.maybe("keep_firing_for", None, None, 1 * step, 2 * step, 5 * step, show=seconds)
        waits["keep"] = (keep or 0) * S
    return waits


def _entries(rule: Draw, *, lasts: bool, affected: bool) -> list[Entry]:
    """`lasts`: an alert may live on, and so be told of again and again."""
    entries = [
        Entry(
            after=rule.one_of(0, 0, 1, 2, 5, 12) * S,
            every=rule.one_of(None, None, 3 * S, 5 * S) if lasts else None,
            resolves=rule.one_of(True, False),
            severity=rule.one_of(None, None, "critical", "info"),
            affected=affected and rule.one_of(True, False),
        )
        for _ in range(rule.one_of(0, 1, 1, 2, 3))
    ]
    if entries:
        rule.key("notify", f"[{', '.join(map(_entry_text, entries))}]", "notify")
        rule.words |= {"after"} if any(entry.after for entry in entries) else set()
        rule.words |= {"every"} if any(entry.every for entry in entries) else set()
        rule.words |= {"on: [firing]"} if not all(entry.resolves for entry in entries) else set()
        rule.words |= {"an entry's severity"} if any(entry.severity for entry in entries) else set()
        rule.words |= {"to: affected"} if any(entry.affected for entry in entries) else set()
    return entries


def _entry_text(entry: Entry) -> str:
    to = "affected" if entry.affected else "operations"
    text = f"to: {to}, template: t, channels: [email], after: {entry.after // S}s"
    if entry.every is not None:
        text += f", every: {entry.every // S}s"
    if not entry.resolves:
        text += ", on: [firing]"
    if entry.severity is not None:
        text += f", severity: {entry.severity}"
    return f"{{{text}}}"


def _vars(rule: Draw, more: dict[str, Any], *, is_global: bool) -> dict[str, Any]:
    plain = "v: data.v, n: value, k: key"
    told = rule.one_of("", plain, plain if is_global else 'v: data.v, was: "previous.?v.orValue(-1)"')
    if not told:
        return {}
    rule.key("vars", f"{{{told}}}", "vars")

    def told_vars(data: Data, previous: Data, value: Any, key: Key) -> Data:
        if "was" in told:
            return {"v": data["v"], "was": previous.get("v", -1)}
        return {"v": data["v"], "n": value, "k": list(key) if isinstance(key, tuple) else key}

    return {"vars": told_vars, "uses_previous": more.get("uses_previous", False) or "was" in told}


def exactly(written: Written) -> bool:
    """Whether nothing of the rule tells events ahead of the clock by slots only, as hopping windows do where `resolve_after`
    forgets a key.
    """
    return not (isinstance(written.spec.condition, Windowed) and written.spec.resolve_after < 365 * DAY)

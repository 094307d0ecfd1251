"""The check itself, on a page of its own: what it takes for a clause, and what for a quote."""

import pytest
from sentences import passages, quoted, unquoted

PAGE = """# Ours

> A note of what there is; it is no clause.

## First things: the beginning

A sentence ends here. The next one goes on; it has two clauses (the second; in one piece) and an interval (t-d, t]; so.
Code is `kept; whole. Always` as *it* is, and short; ones go along.

- `one`: a bullet.

```yaml
keys: [a]   # a comment
more: {b: 1}
```

## Table (its heading)

| condition | fires | exactly | value |
|---|---|---|---|
| `count: {gte: 3}` | on the third | at once; not before | count; those counted |
| `other: {a \\| b}` | when `a | b` or `c` does | momentary | count; those counted |

```
NAME: {a: A | B}       # the comment of a rule
A = B *(";" B)      B = c | d
```
"""


def clauses(*conditions: str) -> list[str]:
    return [
        clause.text
        for passage in passages(PAGE)
        if passage.condition in (conditions or [None])
        for clause in passage.clauses
    ]


def test_clauses_end_at_full_stops_and_semicolons_but_not_in_code_or_asides() -> None:
    assert clauses() == [
        "A sentence ends here.", "The next one goes on;", "it has two clauses (the second; in one piece) and an interval (t-d, t];",
        "so. Code is `kept; whole. Always` as *it* is, and short;", "ones go along.", "`one`: a bullet.", "a comment",
        "NAME: {a: A | B}", "the comment of a rule", 'A = B *(";" B)', "B = c | d",
    ]  # fmt: skip


def test_cells_are_clauses_of_their_condition() -> None:
    assert clauses("count") == ["on the third", "at once;", "not before", "count; those counted"]
    assert clauses("other") == ["when `a | b` or `c` does", "momentary", "count; those counted"]


@pytest.mark.parametrize(
    ("name", "quotes"),
    [
        ("a sentence ENDS 'here'.", ["A sentence ends here."]),
        ("A sentence ends", ["A sentence ends here."]),
        ("A sentence ends here: of an order", ["A sentence ends here."]),
        ("`one`: a bullet", ["`one`: a bullet."]),
        ("A sentence ends here. The next one goes on", ["A sentence ends here.", "The next one goes on;"]),
        ("A sentence … here. The next one", ["A sentence ends here.", "The next one goes on;"]),
        ("A sentence ends where", []),
        ("A sentence … ends where", []),
        ("A senten", []),
        ("no clause", []),
    ],
)
def test_a_name_quotes_the_clauses_of_which_it_has_a_part(name: str, quotes: list[str]) -> None:
    assert [clause.text for clause in quoted(name, passages(PAGE))] == quotes


def test_a_row_is_quoted_by_its_own_condition_alone() -> None:
    assert [clause.heading for clause in quoted("count; those counted", passages(PAGE))] == [
        "Table, count",
        "Table, other",
    ]
    assert [clause.heading for clause in quoted("count; those counted", passages(PAGE), {"other"})] == [
        "Table, other"
    ]
    assert [clause.text for clause in quoted("momentary: at once", passages(PAGE), {"other"})] == [
        "momentary"
    ]
    assert quoted("momentary: at once", passages(PAGE), {"count"}) == []


def test_a_clause_is_quoted_when_its_names_have_half_of_it() -> None:
    page = [passage for passage in passages(PAGE) if passage.condition in {None, "count"}]
    names = [
        (clause.text, None) for passage in page for clause in passage.clauses if "interval" not in clause.text
    ]
    assert [clause.text[:15] for clause in unquoted(page, names)] == ["it has two clau"]
    names.append(("it has two clauses", None))
    assert [clause.text[:15] for clause in unquoted(page, names)] == ["it has two clau"]
    names.append(("in one piece) and an interval", None))
    assert unquoted(page, names) == []
    assert [
        clause.text for clause in unquoted(page, [each for each in names if each[0] != "not before"])
    ] == ["not before"]
    assert [
        clause.text for clause in unquoted(page, [*names[:6], *((name, {"other"}) for name, _ in names[6:])])
    ] != []

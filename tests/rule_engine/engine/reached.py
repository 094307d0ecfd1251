"""What the generated examples reached: how often each word of the language was in a rule, and what came of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from reference.told import Event, Told

COLUMNS = ("examples", "fired", "due", "resolved", "ended")
reached: defaultdict[str, Counter[str]] = defaultdict(Counter)


def note(words: Iterable[str], events: list[Event], told: Iterable[Told], lateness: int = 0) -> None:
    """One example: the words of its rule, its events, and what was told."""
    states = {"fired" if each.state == "firing" else each.state for each in told}
    happened = [column for column in COLUMNS if column == "examples" or column in states]
    for word in (*words, *_traits(events, lateness)):
        reached[word].update(happened)


def _traits(events: list[Event], lateness: int) -> list[str]:
    times = [each.at for each in events]
    traits = {
        "(all examples)": True,
        "(late events)": times != sorted(times),
        "(two events at one time)": len(times) > len(set(times)),
        "(several customers)": len({each.customer for each in events}) > 1,
        "(a source's clock runs ahead)": any(each.stored is not None for each in events),
        "(allowed_lateness)": lateness > 0,
    }
    return [trait for trait, there in traits.items() if there]


def table() -> list[str]:
    width = max((len(word) for word in reached), default=0)
    lines = [f"{'':{width}}" + "".join(f"{name:>10}" for name in COLUMNS)]
    words = sorted(reached, key=str.lower)
    return lines + [
        f"{word:{width}}" + "".join(f"{reached[word][name]:>10}" for name in COLUMNS) for word in words
    ]

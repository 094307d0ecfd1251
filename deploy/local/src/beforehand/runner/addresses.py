"""Which program listens where."""

from collections.abc import Mapping

from beforehand.errors import PortTakenError, UsageError
from beforehand.ports import HOST, free_port, is_free


def choose_ports(defaults: Mapping[str, int], given: Mapping[str, int]) -> tuple[dict[str, int], list[str]]:
    """A port for each name in `defaults`, and what to tell about those that are not the default.

    A default that is taken gives way to a free port; one that was asked for does not.
    Raises PortTakenError, or UsageError for a name that is not there.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise UsageError(f"there is no port {unknown[0]!r}; there are {', '.join(defaults)}")
    chosen: dict[str, int] = {}
    told: list[str] = []
    for name, default in defaults.items():
        port = given.get(name, default)
        others = frozenset(chosen.values()) | frozenset(defaults.values())
        if name in given and (port in chosen.values() or not is_free(port)):
            raise PortTakenError(
                f"port {port} on {HOST}, asked for with --port {name}={port}, is taken: stop the program that has it, "
                "or ask for another"
            )
        if name not in given and (port in [*chosen.values(), *given.values()] or not is_free(port)):
            free = free_port(others)
            told.append(f"port {port} is taken by another program: {name} gets {free}")
            port = free
        chosen[name] = port
    return chosen, told

"""Which program listens where."""

from collections.abc import Callable, Mapping

from beforehand.errors import PortTakenError, UsageError
from beforehand.ports import HOST, free_port


def choose_ports(
    defaults: Mapping[str, int], given: Mapping[str, int], claim: Callable[[int], bool]
) -> tuple[dict[str, int], list[str]]:
    """A port for each name in `defaults`, and what to tell about those that are not the default.

    `claim` takes a port and says whether it could. A default that is taken gives way to a free port; one that was
    asked for does not. Raises PortTakenError, or UsageError for a name that is not there.
    """
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise UsageError(f"there is no port {unknown[0]!r}; there are {', '.join(defaults)}")
    chosen: dict[str, int] = {}
    told: list[str] = []
    for name, port in given.items():
        if not claim(port):
            raise PortTakenError(
                f"port {port} on {HOST}, asked for with --port {name}={port}, is taken: stop the program that has it, "
                "or ask for another"
            )
        chosen[name] = port
    for name, default in defaults.items():
        if name in given:
            continue
        port = default
        while not claim(port):
            port = free_port(avoid=frozenset(defaults.values()))
        if port != default:
            told.append(f"port {default} is taken by another program: {name} gets {port}")
        chosen[name] = port
    return chosen, told

"""What people decided, as the topic `controls` has it: its pauses. Small, so each process reads all of it at each start."""

import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.records import Pause


class Controls:
    """The decisions in force."""

    def __init__(self) -> None:
        self._pauses: dict[str, Pause] = {}

    @property
    def pauses(self) -> tuple[Pause, ...]:
        return tuple(self._pauses.values())

    def take(self, key: bytes | None, value: bytes | None) -> bool:
        """Takes a record; True if something was let go by it. Raises ValueError for what can't be read.

        Keys of other decisions than pauses are none of ours.
        """
        name = (key or b"").decode()
        if name.partition("/")[0] != "pause":
            return False
        if value is None:
            return self._pauses.pop(name, None) is not None
        try:
            self._pauses[name] = msgspec.convert(decode(value).data, Pause)
        except (EnvelopeError, msgspec.ValidationError) as error:
            raise ValueError(str(error)) from None
        return False

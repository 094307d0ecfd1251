"""Which events were written in the last 24 hours, by source and id: in bounded memory, and made anew from `signals`.

The topic itself is the record of what was written; this is an index of its last day. So nothing else has to be kept, and
a restart forgets nothing: the gate opens when the day has been read again (publish.py).
"""

from hashlib import blake2b

REMEMBERED_S = 24 * 3600
_STEP_S = 600  # events are forgotten in steps of so much time


class Written:
    """The events written in the last day, at most `capacity` of them (about 100 bytes each); beyond, the oldest go.

    Times are seconds since the epoch. An event is remembered for 24 h to 24 h 10 min.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._step_of: dict[int, int] = {}
        self._steps: dict[int, list[int]] = {}
        self._forgotten_to = 0

    def __contains__(self, identity: int) -> bool:
        return identity in self._step_of

    def __len__(self) -> int:
        return len(self._step_of)

    def add(self, identity: int, at: float) -> None:
        step = int(at) // _STEP_S
        if self._step_of.get(identity, -1) >= step:
            return
        self._step_of[identity] = step
        self._steps.setdefault(step, []).append(identity)
        while len(self._step_of) > self._capacity:
            oldest = min(self._steps)
            # one step may be more than memory holds: its newer half stays
            self._forget(oldest, keep=self._capacity // 2 if len(self._steps) == 1 else 0)

    def forget_before(self, at: float) -> None:
        """Forget what was written before this time."""
        for step in [step for step in self._steps if (step + 1) * _STEP_S <= at]:
            self._forget(step)

    def reaches_back_s(self, now: float) -> float:
        """For how long what was written is surely still known: 24 h, or less when there was more than fits."""
        return max(0.0, min(float(REMEMBERED_S), now - self._forgotten_to * _STEP_S))

    def _forget(self, step: int, keep: int = 0) -> None:
        identities = self._steps.pop(step)
        if keep:
            self._steps[step] = identities[-keep:]
        for identity in identities[: len(identities) - keep]:
            if self._step_of.get(identity) == step:
                del self._step_of[identity]
        self._forgotten_to = max(self._forgotten_to, step + 1)


def identity_of(source: str, id: str) -> int:
    """64 bits that stand for an event. That a new event shares them with one of 2 million is one chance in 10^13."""
    return int.from_bytes(blake2b(f"{source}\0{id}".encode(), digest_size=8).digest())

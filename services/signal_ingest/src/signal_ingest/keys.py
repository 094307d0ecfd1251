"""Who may post which events: API keys, of which only hashes are kept.

KeysError
└── the file of keys cannot be read: names the file, the entry, and what was expected
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

Sha256 = msgspec.Meta(pattern="^[0-9a-f]{64}$")


class KeysError(ValueError):
    pass


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """An entry of the file: the key with this hash may post events of `source` and `types`, globs where `*` is any text."""

    source: str
    sha256: str
    types: list[str]

    @cached_property
    def _source(self) -> re.Pattern[str]:
        return _glob([self.source])

    @cached_property
    def _types(self) -> re.Pattern[str]:
        return _glob(self.types)

    def allows_source(self, source: str) -> bool:
        return self._source.fullmatch(source) is not None

    def allows(self, source: str, type: str) -> bool:
        return self.allows_source(source) and self._types.fullmatch(type) is not None


@dataclass(frozen=True, slots=True)
class Keys:
    grants: Sequence[Grant]

    def of(self, key: str) -> list[Grant]:
        """What this key may do; empty if nobody has it. Takes the same time for every key."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        return [grant for grant in self.grants if hmac.compare_digest(grant.sha256, digest)]


def load(path: Path) -> Keys:
    """Raises KeysError."""
    how = 'it holds a JSON list of {"source": "/shop/*", "sha256": "<hex of the key>", "types": ["order.*"]}'
    try:
        grants = msgspec.json.decode(path.read_bytes(), type=list[Grant])
    except OSError as error:
        raise KeysError(f"{path}: cannot be read ({error.strerror}); {how}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeysError(f"{path}: {error}; {how}") from None
    for index, grant in enumerate(grants):
        if not re.fullmatch("[0-9a-f]{64}", grant.sha256):
            raise KeysError(f"{path}: entry {index}: sha256 must be 64 hexadecimal digits in lower case")
    return Keys(grants)


def refusal(grants: Sequence[Grant], source: str, type: str) -> str | None:
    """Why a key with these grants may not post an event of this source and type; None if it may."""
    if any(grant.allows(source, type) for grant in grants):
        return None
    if any(grant.allows_source(source) for grant in grants):
        return f"this key may not post events of type {type!r} for the source {source!r}"
    return f"this key may not post events of the source {source!r}"


def _glob(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(".*".join(map(re.escape, each.split("*"))) for each in patterns), re.DOTALL)

"""kafka.lock.json: every jar of the broker with its sum. `python -m beforehand.kafka.lock` writes it anew.

Resolving is jgo's, from Maven Central: run it after a change of ROOTS, and commit the result.
"""

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from jgo.maven import MavenContext

KAFKA_VERSION = "4.4.0"
# Kafka's own dependencies bring slf4j and log4j, but not what joins the two: without it a broker logs nothing.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5")
LOCK_FILE = Path(__file__).with_name("kafka.lock.json")


@dataclass(frozen=True, slots=True)
class Jar:
    """An artifact of Maven Central: `coordinate` is group:artifact:version, `sha256` in hex, `size` in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def locked(lock_file: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars that a broker needs, Kafka's own first."""
    return tuple(Jar(**entry) for entry in json.loads(lock_file.read_text())["jars"])


def write_lock(lock_file: Path = LOCK_FILE) -> int:
    """Resolve ROOTS, download what they need and write it down with its sums. Returns the number of jars."""
    with tempfile.TemporaryDirectory() as folder:
        maven = MavenContext(repo_cache=Path(folder))
        needed: dict[str, Jar] = {}
        for root in ROOTS:
            # One by one: in one go, what log4j's POM says of versions would hold for Kafka's dependencies too.
            inputs, transitive = maven.resolver.resolve([maven.create_dependency(root)])
            for found in [*inputs, *(d for d in transitive if d.scope in {"compile", "runtime"})]:
                name = f"{found.groupId}:{found.artifactId}"
                if name not in needed:
                    needed[name] = _jar(f"{name}:{found.version}", found.artifact.resolve())
        jars = list(needed.values())
    document = {"roots": ROOTS, "jars": [asdict(jar) for jar in jars]}
    lock_file.write_text(json.dumps(document, indent=1) + "\n")
    return len(jars)


def _jar(coordinate: str, path: Path) -> Jar:
    content = path.read_bytes()
    return Jar(coordinate, hashlib.sha256(content).hexdigest(), len(content))


if __name__ == "__main__":
    print(f"{write_lock()} jars written to {LOCK_FILE}")

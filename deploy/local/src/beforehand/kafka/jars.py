"""Kafka's jars, as the lock file names them, in a folder of the user's cache: downloaded once, by jgo."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from beforehand.errors import DataFolderError, JarsError
from beforehand.kafka.lock import KAFKA_VERSION, Jar, locked

Progress = Callable[[int, int], None]
"""Told after each piece of a download: bytes so far, bytes in all."""

DOWNLOADS_AT_ONCE = 4


def cache_folder() -> Path:
    """Where the jars are kept: under $XDG_CACHE_HOME, else ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "beforehand" / f"kafka-{KAFKA_VERSION}"


def provide_jars(
    progress: Progress | None = None,
    *,
    folder: Path | None = None,
    jars: Sequence[Jar] | None = None,
    repositories: dict[str, str] | None = None,
) -> list[Path]:
    """The paths of all jars, every one with the locked sum. The network is only asked for what is not there.

    `repositories` are Maven repositories by name; by default Maven Central and those of the user's jgo.conf.
    Raises JarsError if one can't be had or is not what was locked, DataFolderError if there is no place for it.
    """
    folder = folder or cache_folder()
    jars = jars if jars is not None else locked()
    missing = [jar for jar in jars if not _is_whole(folder / jar.filename, jar)]
    if missing:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _download(missing, folder, progress, repositories or _repositories())
        except OSError as error:
            raise DataFolderError(
                f"the cache folder {folder} can't be written ({error.strerror}): "
                "make room or give rights there, or name another place with XDG_CACHE_HOME"
            ) from error
    return [folder / jar.filename for jar in jars]


def _is_whole(path: Path, jar: Jar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and _sum_of(path) == jar.sha256


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _repositories() -> dict[str, str]:
    return {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}


def _download(
    jars: Sequence[Jar], folder: Path, progress: Progress | None, repositories: dict[str, str]
) -> None:
    # jgo writes in place. A jar takes its name in the cache only when it is whole and its sum is right, so neither
    # a Ctrl-C nor two first starts at once can leave half a jar.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as staging:
        counted = _counted(progress, sum(jar.size for jar in jars))
        maven = MavenContext(
            resolver=PythonResolver(progress_callback=counted),
            repo_cache=Path(staging),
            remote_repos=repositories,
        )
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            try:
                for _ in pool.map(lambda jar: _fetch(maven, jar, folder), jars):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _fetch(maven: MavenContext, jar: Jar, folder: Path) -> None:
    wanted = maven.create_dependency(jar.coordinate).artifact
    try:
        path = wanted.resolve()
    except (RequestException, RuntimeError) as error:
        where = ", ".join(maven.remote_repos.values())
        raise JarsError(
            f"Kafka {KAFKA_VERSION} is not in {folder} yet, and {jar.coordinate} can't be had from {where} "
            f"({_reason(error)}): connect this machine to the network for the first start, or name a mirror of "
            "Maven Central under [repositories] in ~/.config/jgo.conf"
        ) from error
    found = _sum_of(path)
    if found != jar.sha256:
        raise JarsError(
            f"{jar.coordinate} came with the SHA-256 sum {found}, but {jar.sha256} is locked: the download is "
            "damaged or not the genuine one, and was thrown away; try again, from another network if it stays so"
        )
    path.replace(folder / jar.filename)


def _reason(error: Exception) -> str:
    return "no connection" if isinstance(error, RequestException) else "it is not there"


def _counted(
    progress: Progress | None, total: int
) -> Callable[[str, int], AbstractContextManager[Callable[[int], None]]]:
    """What jgo asks for: a context manager per file; this one adds their bytes up."""
    done = 0
    lock = Lock()

    @contextmanager
    def one_file(_filename: str, _size: int) -> Iterator[Callable[[int], None]]:
        def update(count: int) -> None:
            nonlocal done
            with lock:
                done += count
                if progress is not None:
                    progress(done, total)

        yield update

    return one_file

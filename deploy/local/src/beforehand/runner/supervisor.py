"""Keeps processes running: starts them, knows when they are ready, starts again what dies, stops them in order."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

from beforehand.errors import NotReadyError, RunnerError
from beforehand.ports import HOST
from beforehand.runner.console import Console

LOOK_EVERY_S = 0.1
FIRST_RESTART_AFTER_S = 0.5
LAST_RESTART_AFTER_S = 30.0
STEADY_AFTER_S = 30.0  # a process that lived so long has its earlier deaths forgiven
DEATHS_AT_START = 3  # that many before it was ever ready, and the start is given up
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """How to run one process. `launch` may raise RunnerError or OSError; `is_ready` must answer within a second or two.

    Programs of a higher `stage` depend on those of a lower one: they are stopped first.
    """

    name: str
    stage: int
    launch: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[[], bool]


@dataclass(slots=True)
class _State:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float | None = None
    deaths: int = 0  # since it was last steady
    ready: bool = False
    was_ready: bool = False
    trouble: str = ""
    logs: list[threading.Thread] = field(default_factory=list)


class Supervisor:
    """Looks after programs in a thread of its own from the first start() until stop(). Made for one run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, _State] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self, program: Program) -> None:
        """Start and look after it. Raises what `launch` raises."""
        state = _State(program)
        with self._changed:
            assert program.name not in self._states, f"{program.name} is started already"
            self._launch(state)
            self._states[program.name] = state
            if self._thread is None:
                self._thread = threading.Thread(target=self._look_after, name="supervisor", daemon=True)
                self._thread.start()

    def wait_ready(self, names: Iterable[str] | None = None, within_s: float = READY_WITHIN_S) -> None:
        """Returns when the named programs, by default all, are ready at once. Raises NotReadyError."""
        deadline = time.monotonic() + within_s
        with self._changed:
            waited_for = [self._states[name] for name in names or self._states]
            while not all(state.ready for state in waited_for):
                for state in waited_for:
                    if not state.was_ready and state.deaths >= DEATHS_AT_START:
                        raise NotReadyError(
                            f"{state.program.name} died {state.deaths} times while starting ({state.trouble}); "
                            f"its last line: {self._last_line(state)}"
                        )
                if time.monotonic() > deadline:
                    slow = next(state for state in waited_for if not state.ready)
                    raise NotReadyError(
                        f"{slow.program.name} is not ready after {within_s:.0f} s; "
                        f"its last line: {self._last_line(slow)}"
                    )
                self._changed.wait(LOOK_EVERY_S)

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """The processes by their programs' names; one that is waiting to be started again is not among them."""
        with self._changed:
            return {
                name: state.process
                for name, state in self._states.items()
                if state.process is not None and state.process.poll() is None
            }

    def stop(self) -> None:
        """Stop all, those of the highest stage first: SIGTERM, and SIGKILL after STOP_WITHIN_S."""
        with self._changed:
            self._stopping = True
        if self._thread is not None:
            self._thread.join()
        for stage in sorted({state.program.stage for state in self._states.values()}, reverse=True):
            self._stop_stage([state for state in self._states.values() if state.program.stage == stage])
        for state in self._states.values():
            for log in state.logs:
                log.join(1.0)

    def _stop_stage(self, states: list[_State]) -> None:
        running = [
            (s.program.name, s.process) for s in states if s.process is not None and s.process.poll() is None
        ]
        for _, process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for name, process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._console.say(f"{name} does not stop within {STOP_WITHIN_S:.0f} s: killing it")
                process.kill()
                process.wait()

    def _look_after(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                states = list(self._states.values())
                for state in states:
                    self._mend(state)
            for state in states:
                self._ask(state)
            time.sleep(LOOK_EVERY_S)

    def _mend(self, state: _State) -> None:
        now = time.monotonic()
        if state.start_again_at is not None:
            if now >= state.start_again_at:
                try:
                    self._launch(state)
                except (RunnerError, OSError) as error:
                    self._died(state, str(error))
        elif state.process is not None and (code := state.process.poll()) is not None:
            if now - state.started_at >= STEADY_AFTER_S:
                state.deaths = 0
            self._died(state, f"signal {-code}" if code < 0 else f"exit code {code}")

    def _died(self, state: _State, trouble: str) -> None:
        wait_s = min(FIRST_RESTART_AFTER_S * 2**state.deaths, LAST_RESTART_AFTER_S)
        state.deaths += 1
        state.trouble = trouble
        state.ready = False
        state.start_again_at = time.monotonic() + wait_s
        self._console.say(f"{state.program.name} died ({trouble}): starting it again in {wait_s:g} s")
        self._changed.notify_all()

    def _launch(self, state: _State) -> None:
        state.process = state.program.launch()
        state.started_at = time.monotonic()
        state.start_again_at = None
        state.logs = [
            self._console.follow(state.program.name, stream)
            for stream in (state.process.stdout, state.process.stderr)
            if stream is not None
        ]

    def _ask(self, state: _State) -> None:
        """Outside the lock: an answer may take its time."""
        if state.ready or state.start_again_at is not None or not state.program.is_ready():
            return
        with self._changed:
            if state.process is not None and state.process.poll() is None:
                state.ready = True
                if state.was_ready:
                    self._console.say(f"{state.program.name} is ready again")
                state.was_ready = True
                self._changed.notify_all()

    def _last_line(self, state: _State) -> str:
        return next(reversed(self._console.last_lines(state.program.name)), "(it wrote nothing)")


def answers_ok(port: int, path: str) -> bool:
    """Whether a GET on this machine is answered with 200 within a second."""
    connection = HTTPConnection(HOST, port, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()

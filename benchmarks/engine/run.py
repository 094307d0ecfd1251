"""Ours beside stock Faust: the same 20 rules over the same events, one process each, in turns.

    python benchmarks/engine/run.py [--events 300000] [--stock-events 40000] [--rounds 3] [--kafka HOST:PORT]

Ours is `python -m rule_engine` as it runs in production: exactly once, state on a changelog, metrics on. Figures hold as
ratios: this machine's other work and the broker's share are in the events a second; CPU seconds are the process's own.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import shop_events
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from twenty_rules import as_yaml

from beforehand.kafka.broker import EmbeddedKafka
from beforehand.kafka.topics import create_topics
from beforehand.ports import free_port
from contracts.alerts import from_data
from contracts.envelope import decode, encode, event
from contracts.records import RuleFile
from contracts.topics import ALERTS, EMBEDDED_PARTITIONS, RULES, SIGNALS, topic_name

HERE = Path(__file__).parent
WITHIN_S = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """One process over one stream."""

    events_per_s: float
    cpu_s_per_million: float
    alerts: int


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--events", type=int, default=300_000, help="events that ours reads in a round (default 300000)"
    )
    parser.add_argument(
        "--stock-events", type=int, default=40_000, help="the first of them, for the slow one (default 40000)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over so many (default 3)")
    parser.add_argument("--kafka", help="a broker that runs already, instead of one of its own")
    options = parser.parse_args()
    with _broker(options.kafka) as bootstrap:
        differing = False
        for kind in get_args(shop_events.Kind):
            ours: list[Run] = []
            stock: list[Run] = []
            for number in range(1, options.rounds + 1):
                _say(f"{kind}, round {number} of {options.rounds}: ours, {options.events:,} events")
                run, alerts_of_prefix = _ours(bootstrap, options.events, options.stock_events, kind)
                ours.append(run)
                _say(
                    f"{kind}, round {number} of {options.rounds}: stock Faust, {options.stock_events:,} events"
                )
                stock.append(_stock(bootstrap, options.stock_events, kind))
                differing |= not _same_alerts(alerts_of_prefix, stock[-1].alerts, options.stock_events)
            _table(kind, ours, stock)
    return 1 if differing else 0


@contextmanager
def _broker(given: str | None) -> Iterator[str]:
    if given:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="beforehand-bench-") as folder,
        EmbeddedKafka(Path(folder)) as kafka,
    ):
        yield kafka.bootstrap


def _ours(bootstrap: str, count: int, prefix_count: int, kind: shop_events.Kind) -> tuple[Run, int]:
    """The run, and how many alerts fired within the first `prefix_count` events."""
    prefix = f"b{uuid.uuid4().hex[:8]}."
    create_topics(bootstrap, prefix=prefix)
    asyncio.run(_push(bootstrap, topic_name(RULES, prefix)))
    asyncio.run(shop_events.produce(bootstrap, topic_name(SIGNALS, prefix), EMBEDDED_PARTITIONS, count, kind))
    port = free_port()
    environment = os.environ | {
        "BEFOREHAND_KAFKA": bootstrap, "BEFOREHAND_TOPIC_PREFIX": prefix, "BEFOREHAND_HTTP_PORT": str(port),
        "BEFOREHAND_LOG_LEVEL": "warning",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "rule_engine"], env=environment)
    try:
        first = last = (0, 0.0, 0.0)
        deadline = time.monotonic() + WITHIN_S
        while last[0] < count:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(
                    f"the engine committed {last[0]:,} of {count:,} events (exit code {process.returncode})"
                )
            time.sleep(0.05)
            last = (_committed(port), time.perf_counter(), _cpu_s(process.pid))
            if not first[0]:
                first = last
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    read = last[0] - first[0]
    alerts = asyncio.run(_fired(bootstrap, topic_name(ALERTS, prefix)))
    until = shop_events.time_of(prefix_count)
    run = Run(read / (last[1] - first[1]), (last[2] - first[2]) / read * 1e6, len(alerts))
    return run, sum(each < until for each in alerts)


def _stock(bootstrap: str, count: int, kind: shop_events.Kind) -> Run:
    prefix = f"s{uuid.uuid4().hex[:8]}."
    create_topics(bootstrap, prefix=prefix, topics=(SIGNALS, ALERTS))
    asyncio.run(shop_events.produce(bootstrap, topic_name(SIGNALS, prefix), EMBEDDED_PARTITIONS, count, kind))
    with tempfile.NamedTemporaryFile() as result:
        environment = os.environ | {
            "KAFKA": bootstrap, "GROUP": f"{prefix}stock", "COUNT": str(count), "SIGNALS": topic_name(SIGNALS, prefix),
            "ALERTS": topic_name(ALERTS, prefix), "RESULT": result.name,
        }  # fmt: skip
        command = [sys.executable, "stock.py", "worker", "-l", "error"]
        subprocess.run(
            command, cwd=HERE, env=environment, stdout=subprocess.DEVNULL, timeout=WITHIN_S, check=True
        )
        found = json.loads(Path(result.name).read_text())
    return Run(count / found["seconds"], found["cpu_s"] / count * 1e6, found["alerts"])


async def _push(bootstrap: str, topic: str) -> None:
    pushed = RuleFile("bench.yaml", as_yaml(), "1", datetime.now(UTC), "benchmark")
    said = event(id="1", source="/benchmark", type="rules.pushed", time=pushed.at, data=pushed)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait(topic, encode(said), b"bench.yaml")
    finally:
        await producer.stop()


async def _fired(bootstrap: str, topic: str) -> list[datetime]:
    """When each alert on the topic fired."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    found = []
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                transitions = (from_data(decode(record.value).data) for record in records)
                found += [each.fired_at for each in transitions if each.state == "firing"]
    finally:
        await consumer.stop()
    return found


def _committed(port: int) -> int:
    """Signals whose transactions are committed."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            page = answer.read().decode()
    except OSError:
        return 0
    found = re.search(r'^beforehand_engine_batch_records_sum\{topic="signals"\} (\S+)$', page, re.MULTILINE)
    return int(float(found[1])) if found else 0


def _cpu_s(pid: int) -> float:
    """User and system time of the process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _same_alerts(ours: int, stock: int, count: int) -> bool:
    if ours != stock:
        _say(
            f"NOT THE SAME: over the first {count:,} events ours fired {ours:,} alerts, stock Faust {stock:,}"
        )
    return ours == stock


def _table(kind: shop_events.Kind, ours: list[Run], stock: list[Run]) -> None:
    rows = [("rule_engine, exactly once", ours), ("stock Faust with a table", stock)]
    says = {"all": "all events wanted by rules", "mix": "one event in five wanted by rules"}[kind]
    print(f"\n{says}; median of {len(ours)}")
    print(f"  {'':28}{'events/s':>12}{'CPU s/million':>16}{'alerts':>10}")
    for name, runs in rows:
        speed, cpu_s = _median(runs)
        print(f"  {name:28}{speed:>12,.0f}{cpu_s:>16.2f}{runs[-1].alerts:>10,}")
    (our_speed, our_cpu_s), (stock_speed, stock_cpu_s) = _median(ours), _median(stock)
    print(f"  {'ratio':28}{our_speed / stock_speed:>11.1f}x{stock_cpu_s / our_cpu_s:>15.1f}x\n", flush=True)


def _median(runs: list[Run]) -> tuple[float, float]:
    return statistics.median(run.events_per_s for run in runs), statistics.median(
        run.cpu_s_per_million for run in runs
    )


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The peer: a stock Faust agent with a table, as its documentation shows it, doing the same 20 rules one event at a time.

It promises less than ours: its table's changelog and its offsets are committed apart, so that a crash repeats alerts.
When it has read COUNT events it writes seconds, CPU seconds and alerts to the file RESULT, and ends.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import faust
import msgspec
from twenty_rules import as_functions

COUNT = int(os.environ["COUNT"])
RULES = as_functions()


class Event(msgspec.Struct):
    id: str
    type: str
    time: str
    data: dict[str, Any]


decode = msgspec.json.Decoder(Event).decode
app = faust.App(
    os.environ["GROUP"], broker=f"kafka://{os.environ['KAFKA']}", store="memory://", topic_partitions=4,
    topic_replication_factor=1, topic_disable_leader=True, web_enabled=False, stream_wait_empty=False,
    datadir=tempfile.mkdtemp(prefix="stock-faust-"),
)  # fmt: skip
RAW: dict[str, Any] = {
    "key_type": bytes,
    "value_type": bytes,
    "key_serializer": "raw",
    "value_serializer": "raw",
    "partitions": 4,
}
signals = app.topic(os.environ["SIGNALS"], **RAW)
alerts = app.topic(os.environ["ALERTS"], **RAW)
windows = app.Table("windows", partitions=4, default=dict)


def judge(event: Event, rules: list[Any], row: dict[str, Any]) -> tuple[list[str], bool]:
    """The rules that fire, and whether the row changed. A counting rule fires once, until too few events are left."""
    fired: list[str] = []
    changed = False
    time_us = _micros(event.time)
    for name, counts, gte, within_us in rules:
        if not counts(event.data):
            continue
        if not gte:
            fired.append(name)
            continue
        times, firing = row.get(name) or ([], False)
        times = [each for each in times if each > time_us - within_us]
        firing = firing and len(times) >= gte
        times = [*times, time_us][-gte:]
        if len(times) == gte and not firing:
            firing = True
            fired.append(name)
        row[name] = (times, firing)
        changed = True
    return fired, changed


def _micros(text: str) -> int:
    """Of a time within one month, from the month's beginning."""
    seconds = (int(text[8:10]) * 24 + int(text[11:13])) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    return seconds * 1_000_000 + int(text[20:26])


def finish(seconds: float, cpu_s: float, told: int) -> None:
    Path(os.environ["RESULT"]).write_text(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "alerts": told}))
    os._exit(0)


@app.agent(signals)
async def watch(stream: Any) -> None:
    read = told = 0
    began_s = began_cpu_s = 0.0
    async for each in stream.events():
        if not read:
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
        event = decode(each.value)
        rules = RULES.get(event.type)
        if rules is not None:
            key = each.message.key.decode()
            row = windows.get(key) or {}
            fired, changed = judge(event, rules, row)
            if changed:
                windows[key] = row
            for name in fired:
                alert = {"id": f"{name}/{event.id}", "rule": name, "customer": key, "at": event.time}
                await alerts.send(key=each.message.key, value=msgspec.json.encode(alert))
                told += 1
        read += 1
        if read == COUNT:
            finish(time.perf_counter() - began_s, time.process_time() - began_cpu_s, told)


if __name__ == "__main__":
    app.main()

"""How much CPU a backtest takes: the 20 rules over a file of events.

python benchmarks/engine/backtest.py [--events 1000000]
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import shop_events
from twenty_rules import as_yaml


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="lines in the file (default 1000000; 400 MB)"
    )
    count: int = parser.parse_args().events
    with tempfile.TemporaryDirectory(prefix="beforehand-bench-") as folder:
        rules, history = Path(folder, "rules.yaml"), Path(folder, "history.ndjson")
        rules.write_text(as_yaml())
        with history.open("wb") as file:
            file.writelines(value + b"\n" for _, value in shop_events.events(count, "all"))
        began_s = time.perf_counter()
        command = [sys.executable, "-m", "beforehand", "rules", "backtest", str(rules), "--events", str(history), "--format", "ndjson"]  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        seconds = time.perf_counter() - began_s
    transitions = done.stdout.count(b"\n")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{count:,} events, 20 rules: {used.ru_utime + used.ru_stime:.1f} CPU s, {seconds:.1f} s, "
          f"{transitions:,} transitions, {used.ru_maxrss / 1024:,.0f} MB at most")  # fmt: skip


if __name__ == "__main__":
    main()

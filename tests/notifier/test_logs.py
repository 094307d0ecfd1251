"""What operations read: each line of ours, and no flood of a library's."""

import json
import subprocess
import sys

SAYS = """
import logging, structlog
from notifier.logs import configure_logs
configure_logs("json", "info")
for number in range(200):
    logging.getLogger("aiokafka").error("no connection to node %s, try %s", 1, number)
    structlog.get_logger("notifier.consume").warning("broker unreachable", try_=number)
logging.getLogger("aiokafka").error("another thing")
"""


def test_a_library_says_the_same_thing_once_in_a_while_and_our_own_lines_all_come():
    said = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True)
    events = [json.loads(line)["event"] for line in said.stdout.splitlines()]
    assert events.count("broker unreachable") == 200
    assert [event for event in events if event != "broker unreachable"] == [
        "no connection to node 1, try 0",
        "another thing",
    ]

"""The whole of it: Kafka, four services, inbox and phone, and a shop's day in between."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_tells_everybody_what_they_should_hear_and_nobody_else(tmp_path):
    command = [
        sys.executable,
        "-m",
        "beforehand",
        "demo",
        "--exit",
        "--speed",
        "3",
        "--data",
        str(tmp_path / "var"),
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Every expected message came (14), and no other." in ended.stdout
    told = [line for line in ended.stdout.splitlines() if "message  →→" in line]
    assert len(told) == 14
    assert any("text sent" in line and "Emil" in line for line in told)
    assert not (tmp_path / "var" / "endpoints.json").exists()

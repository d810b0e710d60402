"""The deliberate bugs of faulty_consumer.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BROKEN = """
import importlib.util, sys
from unittest.mock import MagicMock
import consumer.kafka.publishers.base_producer
spec = importlib.util.spec_from_file_location("chaos_consumer", sys.argv[1])
chaos = importlib.util.module_from_spec(spec)
spec.loader.exec_module(chaos)
chaos.add_bug(sys.argv[2])
producer = MagicMock()
consumer.kafka.publishers.base_producer.Producer = lambda *_, **__: producer
from consumer.assembly import build_publisher
from consumer.settings import KafkaSettings
publisher = build_publisher(KafkaSettings(bootstrap_servers="127.0.0.1:9"))
for _ in range(2):
    publisher.publish("forecasts", 0, b"key", b"value", [])
    publisher.commit({("metrics", 0): 1}, None)
assert producer.begin_transaction.call_count == producer.commit_transaction.call_count == 2
assert not producer.send_offsets_to_transaction.called
"""


@pytest.mark.parametrize("bug", ["commit-before-publish", "no-fencing"])
def test_a_bug_publishes_and_commits_without_offsets(bug):
    """A consumer that does not publish would make the checker fail, too."""
    command = [sys.executable, "-c", BROKEN, str(HERE / "faulty_consumer.py"), bug]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

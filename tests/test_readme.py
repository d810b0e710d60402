"""README's programs are short, and its reader waits for a topic. tests/integration/test_demo.py runs both programs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from confluent_kafka import Producer

README = Path(__file__).parents[1] / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def test_there_are_a_producer_and_a_reader_of_ten_lines():
    assert [len([line for line in program.splitlines() if line]) for program in PROGRAMS] == [10, 12]


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text("utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_its_reader_waits_for_a_topic_that_does_not_exist_yet():
    broker = subprocess.Popen(
        [sys.executable, "-m", "consumer.kafka.embedded"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    address = broker.stdout.readline().strip()
    reader = subprocess.Popen(
        [sys.executable, "-c", PROGRAMS[1]],
        env={**os.environ, "KAFKA": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert "UNKNOWN_TOPIC_OR_PART" in reader.stdout.readline()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": "1",
            "ce_source": "/t",
            "ce_type": "io.fncast.forecast.v1",
        }
        headers |= {"ce_subject": "boiler", "content-type": "application/json"}
        producer = Producer({"bootstrap.servers": address})
        producer.produce("forecasts", json.dumps({"values": [1.5, 2.5]}), headers=headers)
        assert producer.flush(10) == 0
        printed = next(line for line in reader.stdout if "UNKNOWN_TOPIC" not in line)
        assert printed == "boiler [1.5, 2.5]\n"
    finally:
        for process in (reader, broker):
            process.kill()
            process.communicate()

"""The programs of docs/start.md are short, and its reader waits for a topic; test_demo.py runs both programs."""

import json
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Producer

from consumer.kafka.embedded import EmbeddedBroker

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
START = ROOT / "docs" / "start.md"
TOPIC = ROOT / "docs" / "topic.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", START.read_text("utf-8"), re.DOTALL)


def test_there_are_a_producer_and_a_reader_of_ten_lines():
    assert [len([line for line in program.splitlines() if line]) for program in PROGRAMS] == [10, 12]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_links_of_pages_outside_of_the_site_lead_somewhere(page):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / page).read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_it_is_at_most_one_and_a_half_screens():
    assert len(README.read_text("utf-8").splitlines()) <= 75


def commands_of(page: Path, block: int) -> list[str]:
    """Return the commands of `fncast` in a block of shell code of a page, in order."""
    code = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[block]
    return re.findall(r"^(?:\w+=\S+ )*fncast ([\w-]+)", code, re.MULTILINE)


def test_its_commands_are_those_of_the_page_about_a_topic():
    commands = commands_of(README, 1)
    assert commands == ["init", "model-service", "functions", "check", "consume"]
    assert commands_of(TOPIC, 0) == [*commands, "dashboard"]


def test_its_reader_waits_for_a_topic_that_does_not_exist_yet():
    with (
        closing(EmbeddedBroker()) as broker,
        subprocess.Popen(
            [sys.executable, "-c", PROGRAMS[1]],
            env={**os.environ, "KAFKA": broker.bootstrap_servers},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as reader,
    ):
        try:
            assert "UNKNOWN_TOPIC_OR_PART" in reader.stdout.readline()
            headers = {
                "ce_specversion": "1.0",
                "ce_id": "1",
                "ce_source": "/t",
                "ce_type": "io.fncast.forecast.v1",
            }
            headers |= {"ce_subject": "boiler", "content-type": "application/json"}
            producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
            producer.produce("forecasts", json.dumps({"values": [1.5, 2.5]}), headers=headers)
            assert producer.flush(10) == 0
            printed = next(line for line in reader.stdout if "UNKNOWN_TOPIC" not in line)
            assert printed == "boiler [1.5, 2.5]\n"
        finally:
            reader.kill()

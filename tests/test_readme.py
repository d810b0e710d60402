"""README's programs run as they stand there: what the producer sends, the reader can read."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from consumer.embedded import EmbeddedBroker

README = Path(__file__).parents[1] / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def broker():
    made = EmbeddedBroker()
    yield made.bootstrap_servers
    made.close()


def run(program: str, kafka: str) -> subprocess.Popen:
    environ = os.environ | {"KAFKA": kafka, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE, text=True)


def test_there_are_a_producer_and_a_reader_of_ten_lines():
    assert [len([line for line in program.splitlines() if line]) for program in PROGRAMS] == [10, 9]


@pytest.mark.integration
def test_the_producer_sends_what_the_consumer_takes_and_the_reader_reads(broker):
    producer, reader = PROGRAMS
    assert run(producer, broker).wait(30) == 0
    # The reader reads any event whose data has values: here the producer's own, from its topic.
    reading = run(reader.replace('["forecasts"]', '["metrics"]'), broker)
    try:
        line = reading.stdout.readline()
    finally:
        reading.kill()
        reading.communicate()
    assert line.startswith("boiler [20, 21, 22")

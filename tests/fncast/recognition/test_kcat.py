"""Records of kcat (Debian's, 1.7.1): a line each, with a key and headers where its flags set them."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from consumer.kafka.embedded import EmbeddedBroker
from fncast.recognition.recognition import recognise
from fncast.recognition.topic_sampler import TopicSampler
from tests.fncast.recognition.samples import gateway, influx_line, otlp_json, prometheus_json, telegraf_json

pytestmark = pytest.mark.skipif(shutil.which("kcat") is None, reason="needs kcat: apt install kcat")

EVENT = (
    "ce_specversion=1.0",
    "ce_id=1",
    "ce_source=/kcat",
    "ce_type=io.fncast.reading.v1",
    "ce_subject=boiler",
    "ce_time=2026-01-01T00:00:00Z",
)


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    started = EmbeddedBroker()
    yield started
    started.close()


@pytest.mark.parametrize(
    ("format_", "make", "flags"),
    [
        ("telegraf-json", telegraf_json, ()),
        ("influx-line", influx_line, ("-K", "|")),
        ("prometheus-json", prometheus_json, ()),
        ("otlp-json", otlp_json, ()),
        ("json", gateway, ("-K", "|")),
        (
            "cloudevents",
            lambda number: {"value": 21.5 + number},
            [word for each in EVENT for word in ("-H", each)],
        ),
    ],
)
def test_lines_that_kcat_sends_are_recognised(broker, format_, make, flags) -> None:
    topic = f"{format_}-{uuid.uuid4().hex[:8]}"
    records = [make(number) for number in range(12)]
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    keyed = [f"web-1|{line}" if "-K" in flags else line for line in lines]
    command = ["kcat", "-P", "-b", broker.bootstrap_servers, "-t", topic, *flags]
    subprocess.run(command, input="\n".join(keyed), text=True, check=True, timeout=30)
    sampler = TopicSampler({"bootstrap.servers": broker.bootstrap_servers})
    try:
        sample = sampler.sample(topic)
    finally:
        sampler.close()
    assert {record.value for record in sample.records} == {line.encode() for line in lines}
    assert sample.has_keys == ("-K" in flags)
    trial = recognise(topic, sample.records).trial
    assert (trial.format, trial.decoded) == (format_, len(lines))

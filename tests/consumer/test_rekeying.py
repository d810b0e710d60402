"""Inputs whose series are spread over partitions: their readings pass through a topic keyed by series."""

from __future__ import annotations

import json

import pytest
from prometheus_client import REGISTRY

from consumer.assembly import build_chain
from consumer.rekeying import build_rekeyed_inputs, with_topics_by_series
from consumer.settings import InputSettings, InterceptorSettings, KafkaSettings, Settings, SettingsError
from interceptor.assembly.rules import Rules
from interceptor.builtin.assemble import Assemble, ReadingInput
from interceptor.builtin.deliver import Deliver
from interceptor.builtin.rekey import Rekey
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.readings.by_series import BySeries
from interceptor.readings.formats import build_format

SETTINGS = Settings(
    kafka=KafkaSettings(input_topics=("telegraf", "metrics")),
    inputs=(
        InputSettings(
            "telegraf", format="telegraf-json", destination="forecast", include=("cpu*",), rekey=True, min=0
        ),
    ),
)


def record(value: bytes | None, topic: str = "telegraf") -> Record:
    return Record(topic, 0, 0, 5, None, value, [])


def telegraf(**fields: object) -> bytes:
    return json.dumps(
        {"name": "cpu", "tags": {"host": "a"}, "timestamp": 1_700_000_000, "fields": fields}
    ).encode()


async def rekey(value: bytes | None) -> Delivery:
    delivery = Delivery(record(value))
    await Rekey(build_rekeyed_inputs(SETTINGS)).on_consume(Batch([delivery]))
    return delivery


def test_the_topic_by_series_takes_over_the_windows():
    settings = with_topics_by_series(SETTINGS)
    assert settings.kafka.input_topics == ("telegraf", "metrics", "telegraf-by-series")
    assert settings.interceptors.chain == ("rekey", "assemble", "expiry", "route", "deliver")
    before, after = settings.inputs
    assert not before.has_readings
    assert (after.topic, after.include, after.min) == ("telegraf-by-series", ("cpu*",), 0)
    assert settings.rules_of("telegraf-by-series").low == 0
    assert settings.default_destinations() == {"telegraf": "forecast", "telegraf-by-series": "forecast"}
    assert with_topics_by_series(settings) is settings


async def test_each_series_of_a_record_gets_a_record_with_its_readings():
    delivery = await rekey(telegraf(idle=1.5, busy=2))
    assert isinstance(delivery.outcome, Forecast)
    events = delivery.outcome.events
    assert [(event.topic, event.key) for event in events] == [
        ("telegraf-by-series", b"cpu.idle host=a"),
        ("telegraf-by-series", b"cpu.busy host=a"),
    ]
    format_ = BySeries()
    decoded = format_.decode(events[0].value, events[0].key, [], 0)
    assert (decoded.times_ns, decoded.values) == ([1_700_000_000_000_000_000], [1.5])
    series = format_.series(decoded.keys[0])
    assert (series.name, series.labels) == ("cpu.idle host=a", {"host": "a"})


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(b"{", DeadLetter), (None, Skipped), (telegraf(state="up"), Skipped)],
)
async def test_a_record_without_readings_is_settled_here(value, outcome):
    assert isinstance((await rekey(value)).outcome, outcome)


async def test_records_of_other_topics_pass():
    delivery = Delivery(record(b"{", "metrics"))
    await Rekey(build_rekeyed_inputs(SETTINGS)).on_consume(Batch([delivery]))
    assert delivery.outcome is None


def test_the_chain_rekeys_before_it_assembles():
    chain = build_chain(SETTINGS, Deliver(None))
    (assemble,) = chain.stateful.values()
    assert [assemble.has_state(topic) for topic in ("telegraf", "telegraf-by-series")] == [False, True]


def test_a_wrong_format_is_named():
    settings = Settings(
        kafka=KafkaSettings(input_topics=("a",)),
        inputs=(InputSettings("a", format="nowhere:Nothing", rekey=True),),
        interceptors=InterceptorSettings(),
    )
    with pytest.raises(SettingsError, match=r"\[inputs\[0\].format\] topic 'a': format = 'nowhere:Nothing'"):
        build_rekeyed_inputs(settings)


@pytest.mark.parametrize(
    ("timestamp", "fields", "reason"),
    [
        (-4, {"v": 1.0}, "none of its readings can be read (no-time: 1)"),
        (5, {"v" * 2000: 1.0}, "none of its readings can be read (no-series: 1)"),
    ],
)
async def test_a_record_of_which_no_reading_can_be_read_is_a_dead_letter(timestamp, fields, reason):
    """Also without `rekey`."""
    value = json.dumps({"name": "cpu", "timestamp": timestamp, "fields": fields}).encode()
    assert (await rekey(value)).outcome == DeadLetter(reason, kind="undecodable")
    assembled = Delivery(record(value))
    assemble = Assemble({"telegraf": ReadingInput(build_format("telegraf-json", {}), Rules())})
    await assemble.on_consume(Batch([assembled]))
    assert assembled.outcome == DeadLetter(reason, kind="undecodable")


async def test_skipped_readings_are_counted():
    def count() -> float:
        labels = {"input": "telegraf", "outcome": "text"}
        return REGISTRY.get_sample_value("fncast_readings_total", labels) or 0.0

    before = count()
    await rekey(telegraf(idle=1.5, state="up"))
    assert count() == before + 1

"""The kit for users' tests in their own process, used as in docs/testing.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fncast import Batch, Interceptor, Skipped
from fncast.testing import InputRecord, LocalFncast, window_event

ROOT = Path(__file__).parents[3]


class OnlyBoilers(Interceptor):
    """Skips events of other series."""

    async def on_consume(self, batch: Batch) -> Batch:
        for delivery in batch.pending():
            subject = delivery.opened.text("subject") or ""
            if not subject.startswith("boiler"):
                delivery.outcome = Skipped("not a boiler")
        return batch


def mean(event):
    values = event["data"]["values"]
    if not values:
        return {"type": "io.fncast.rejected.v1", "data": {"reason": "there are no values"}}
    return {"data": {"mean": sum(values) / len(values)}}


@pytest.fixture(scope="module")
def local() -> Iterator[LocalFncast]:
    chain = ["expiry", OnlyBoilers, "route", "deliver"]
    with LocalFncast(functions={"mean": mean, "none": lambda _: None}, chain=chain) as running:
        yield running


def test_a_function_and_an_interceptor_see_the_events_of_the_topic(local: LocalFncast) -> None:
    results = local.process(
        window_event([1.0, 2.0, 3.0], subject="boiler-1", destination="mean"),
        window_event([4.0], subject="pump", destination="mean"),
        window_event([5.0], subject="boiler-2", destination="none"),
    )
    assert [(forecast.attributes["subject"], forecast.data) for forecast in results.forecasts] == [
        ("boiler-1", {"mean": 2.0})
    ]
    assert results.dead_letters == []


def test_a_rejected_event_is_a_dead_letter_with_the_reason(local: LocalFncast) -> None:
    results = local.process(window_event([], subject="boiler", destination="mean"), b"not an event")
    by_value = {letter.value == b"not an event": letter for letter in results.dead_letters}
    assert by_value[False].reason == "there are no values"
    assert by_value[True].reason.startswith("not a CloudEvent")
    assert results.forecasts == []


def test_a_record_keeps_its_key_and_its_order(local: LocalFncast) -> None:
    headers = [("ce_specversion", b"1.0"), ("ce_source", b"/s"), ("ce_type", b"t"), ("ce_subject", b"boiler")]
    headers += [("ce_destination", b"mean"), ("content-type", b"application/json")]
    results = local.process(
        *(
            InputRecord(
                b'{"values": [%d]}' % number, b"key", [*headers, ("ce_id", b"%d" % number)], partition=2
            )
            for number in range(20)
        )
    )
    assert [forecast.data["mean"] for forecast in results.forecasts] == list(range(20))
    assert {(forecast.key, forecast.partition) for forecast in results.forecasts} == {(b"key", 2)}


def test_the_example_of_the_page_passes() -> None:
    page = (ROOT / "docs" / "testing.md").read_text("utf-8")
    example = page.split("```python\n", 1)[1].partition("```")[0]
    names: dict[str, Any] = {}
    exec(example, names)
    names["test_the_mean_is_published"]()


def test_a_settings_file_gives_the_chain_and_the_default_destinations(tmp_path: Path) -> None:
    config = tmp_path / "fncast.toml"
    config.write_text(
        '[[inputs]]\ntopic = "readings"\ndestination = "mean"\n[routes]\nmean = "fn:prod/mean"\n'
    )
    with LocalFncast(functions={"mean": mean}, config=config) as local:
        [forecast] = local.process({"data": {"values": [1.0, 3.0]}}).forecasts
    assert forecast.data == {"mean": 2.0}

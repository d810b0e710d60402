"""`expiry`: events after their expirytime are skipped."""

from datetime import UTC, datetime

import pytest

from interceptor.builtin.expiry import Expiry
from interceptor.chain import Chain
from interceptor.outcome import Skipped
from tests.interceptor.deliveries import new_batch

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expirytime", "outcome"),
    [
        ("2026-01-01T11:59:59Z", Skipped("expired")),
        ("2026-01-01T12:00:00+00:00", Skipped("expired")),
        ("2026-01-01T13:00:00+02:00", Skipped("expired")),
        ("2026-01-01T12:00:01Z", None),
        ("2099-01-01t00:00:00z", None),
        ("2016-12-31T23:59:60Z", Skipped("expired")),
        ("9999-12-31T23:59:59.999999999-23:59", None),
        ("0001-01-01T00:00:00+23:59", Skipped("expired")),
        ("", None),
    ],
)
async def test_an_event_is_skipped_from_its_expirytime_on(expirytime, outcome):
    sent = new_batch({"expirytime": expirytime}, {})
    await Chain([Expiry(lambda: NOW)]).on_consume(sent)
    assert [delivery.outcome for delivery in sent.deliveries] == [outcome, None]


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2026-01-01T12:00:00",
        "2026-13-01T00:00:00Z",
        "20990101T000000Z",
        "2099-W01-1T00:00:00Z",
        "2099-01-01T00:00:00+0200",
        "2099-01-01T00:00Z",
        "2099-01-01T00:00:00,5Z",
        "2099-01-01 00:00:00Z",
        "\x1b[2J" * 1000,
    ],
)
async def test_an_invalid_expirytime_is_a_dead_letter(text):
    sent = new_batch({"expirytime": text})
    await Chain([Expiry(lambda: NOW)]).on_consume(sent)
    reason = sent.deliveries[0].outcome.reason
    assert reason.startswith("expirytime: ")
    assert " is not " in reason
    assert len(reason) < 300
    assert reason.isprintable()

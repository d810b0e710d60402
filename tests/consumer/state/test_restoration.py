"""A restoration as the loop and the restoring thread share it."""

from __future__ import annotations

import pytest

from consumer.state.restoration import Cancelled, Restoration


def test_a_cancelled_restoration_stops_at_its_next_check() -> None:
    restoration = Restoration(("telegraf", 0), 1)
    restoration.check()
    restoration.is_cancelled = True
    with pytest.raises(Cancelled):
        restoration.check()


def test_a_reason_to_wait_is_logged_again_only_after_another_one(caplog: pytest.LogCaptureFixture) -> None:
    restoration = Restoration(("telegraf", 0), 1)
    for reason in ("no broker", "no broker", "no topic", "no broker"):
        restoration.wait_because(reason)
    assert restoration.problem == "the state of telegraf/0 is not restored yet: no broker"
    assert [line.rpartition(": ")[2] for line in caplog.messages] == ["no broker", "no topic", "no broker"]

"""Fencing: when repeated fencing is reported as a shared identity."""

from __future__ import annotations

import pytest

from consumer.errors import ConsumerError
from consumer.kafka.publishers import fencing
from consumer.kafka.publishers.fencing import FENCED_WITHIN_S, MAX_FENCED, Fencing


def test_fencing_again_and_again_names_the_setting() -> None:
    watch = Fencing("group-one")
    for _ in range(MAX_FENCED):
        watch.count()
    with pytest.raises(ConsumerError, match=r"'group-one' are fenced again and again.*\[kafka\] instance"):
        watch.count()


def test_rare_fencing_is_tolerated(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr(fencing.time, "monotonic", lambda: now_s)
    watch = Fencing("group-one")
    for _ in range(3 * MAX_FENCED):
        watch.count()
        now_s += FENCED_WITHIN_S / MAX_FENCED

"""What `fncast watch` says about the topics that it waits for."""

from __future__ import annotations

from fncast.cli.watch import _word
from fncast.dashboard.reader import BrokerState


def test_a_topics_name_does_not_command_the_terminal() -> None:
    state = BrokerState(True, 0.0, missing=(("a\x1b[2J\nb", "does not exist yet"),))
    word = _word(state, "localhost:9092")
    assert word.isprintable()
    assert "does not exist yet" in word

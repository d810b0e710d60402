"""What `fncast watch` prints about missing topics."""

from __future__ import annotations

from fncast.cli.watch import status_text
from fncast.dashboard.broker_state import BrokerState


def test_the_name_of_a_topic_cannot_control_the_terminal() -> None:
    state = BrokerState(True, 0.0, missing=(("a\x1b[2J\nb", "does not exist yet"),))
    text = status_text(state, "localhost:9092")
    assert text.isprintable()
    assert "does not exist yet" in text

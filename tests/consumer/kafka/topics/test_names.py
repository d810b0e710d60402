"""Which of the consumer's topics are needed and watched."""

from __future__ import annotations

from consumer.kafka.topics.names import TopicNames


def test_results_need_the_output_the_dead_letters_and_the_state_but_not_the_outages() -> None:
    names = TopicNames(("in",), "out", "dead", "outages", "state", ("more",))
    assert names.needed_outputs() == ["out", "more", "dead", "state"]
    assert TopicNames(("in",), "out", "dead").needed_outputs() == ["out", "dead"]


def test_a_topic_that_is_read_and_written_is_watched_once() -> None:
    assert TopicNames(("in", "more"), "out", "dead", "", "", ("more",)).watched() == [
        "in",
        "more",
        "out",
        "dead",
    ]

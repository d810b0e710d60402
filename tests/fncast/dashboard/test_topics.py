"""The topics of the page."""

from fncast.dashboard.topics import PageTopics


def test_a_topic_without_a_name_is_not_read() -> None:
    topics = PageTopics(("a", "b"), output="c", outages="", training="", accuracy="", alerts="")
    assert topics.all() == ("a", "b", "c", "dead-letters")


def test_the_page_names_all_input_topics() -> None:
    assert PageTopics(("a", "b"), output="c").as_json()["in"] == "a, b"

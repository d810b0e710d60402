"""Which errors of the broker mean that access is denied, and what the sentence names."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from consumer.kafka.authorization import authorization_error


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "use the topic"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "use the group"),
        (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "use the transactional id"),
        (KafkaError.CLUSTER_AUTHORIZATION_FAILED, "do this on the cluster"),
    ],
)
def test_denied_access_says_what_the_login_may_not_do(code: int, action: str) -> None:
    denied = authorization_error(KafkaError(code), ["metrics"])
    assert str(denied) == (
        f"the broker does not let this login {action} 'metrics'. Grant it there, or log in as another user"
    )


@pytest.mark.parametrize("code", [KafkaError._TIMED_OUT, KafkaError.UNKNOWN_TOPIC_OR_PART])
def test_an_error_that_may_pass_is_not_denied_access(code: int) -> None:
    assert authorization_error(KafkaError(code), ["metrics"]) is None


def test_all_topics_that_may_be_meant_are_named_and_kept() -> None:
    denied = authorization_error(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), ["metrics", "dead"])
    assert denied is not None
    assert "use the topic 'dead' or 'metrics'." in str(denied)
    assert denied.topics == {"metrics", "dead"}


def test_denied_access_to_a_group_names_no_topics() -> None:
    denied = authorization_error(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), ["group"])
    assert denied is not None
    assert denied.topics == frozenset()


def test_without_names_the_sentence_has_no_gap() -> None:
    denied = authorization_error(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED))
    assert "do this on the cluster. Grant it" in str(denied)

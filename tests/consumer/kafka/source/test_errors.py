"""Errors of the consumer's client: logged once, or the end of the consumer."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from consumer.errors import AccessDenied, ConsumerError
from consumer.kafka.source.errors import SourceErrors


@pytest.mark.parametrize(
    ("instance", "text", "message"),
    [
        (
            "pod-0",
            "Fatal error: Broker: Static consumer fenced by other consumer with same group.instance.id",
            "another consumer has joined the group 'group' as 'pod-0', the name of this consumer: give each",
        ),
        ("", "Fatal error: Local: something else", "Kafka's client gives up: Fatal error: something else"),
    ],
)
def test_a_fatal_error_of_the_client_ends_the_consumer(instance, text, message):
    with pytest.raises(ConsumerError) as error:
        SourceErrors("group", instance).handle(KafkaError(KafkaError._FATAL, text))
    assert str(error.value).startswith(message)


def test_a_group_that_the_broker_denies_ends_the_consumer():
    with pytest.raises(AccessDenied, match="use the group 'group'"):
        SourceErrors("group", "").handle(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))


def test_a_problem_is_logged_once_until_it_is_cleared(caplog):
    errors = SourceErrors("group", "")
    for _ in range(2):
        errors.handle(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage() == f"Kafka: {errors.problem}; waiting for it"
    errors.clear()
    assert errors.problem == ""
    errors.handle(KafkaError(KafkaError.COORDINATOR_NOT_AVAILABLE))
    assert len(caplog.records) == 2

"""Texts of Kafka errors."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from fncast.wording.kafka import ADVERTISED, advertised_address, describe, map_kafka_errors


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (
            KafkaError._ALL_BROKERS_DOWN,
            "0/1 brokers are down",
            "no broker can be reached, or it closes the connection because it expects a login",
        ),
        (
            KafkaError._TRANSPORT,
            "b:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)",
            "the broker b:9092 cannot be reached: connection refused",
        ),
        (
            KafkaError._TRANSPORT,
            "sasl_ssl://b:9092/3: Disconnected (after 12ms in state UP, 1 identical error(s) suppressed)",
            "the broker b:9092 cannot be reached: it closed the connection",
        ),
        (
            KafkaError._TRANSPORT,
            "Failed to get metadata: Local: Broker transport failure",
            "no broker can be reached",
        ),
        (
            KafkaError._RESOLVE,
            "b:9092/bootstrap: Failed to resolve 'b:9092': Name or service not known (after 5ms in state CONNECT)",
            "the broker b:9092 cannot be reached: its host name is unknown",
        ),
        (
            KafkaError._RESOLVE,
            "kafka-1:9092/1: Failed to resolve 'kafka-1:9092': Name or service not known",
            f"the broker kafka-1:9092 cannot be reached: its host name is unknown. {ADVERTISED}",
        ),
        (
            KafkaError._AUTHENTICATION,
            "sasl_ssl://b:9092/bootstrap: SASL authentication error: Authentication failed (after 3ms in state AUTH)",
            "the broker b:9092 rejects the login: SASL authentication error: Authentication failed",
        ),
        (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            "Subscribed topic not available: metrics: Broker: Unknown topic or partition",
            "the topic 'metrics' does not exist",
        ),
        (
            KafkaError.TOPIC_AUTHORIZATION_FAILED,
            "Subscribed topic not available: metrics: Broker: Topic authorization failed",
            "the topic 'metrics' is not available: access to the topic is denied",
        ),
        (
            KafkaError._BAD_MSG,
            "b:80/bootstrap: Receive failed: Invalid response size 1213486160 (0..100000000): "
            "increase receive.message.max.bytes (after 1ms in state APIVERSION_QUERY)",
            "the broker b:80 cannot be reached: it speaks HTTP, not Kafka's protocol. Check the port",
        ),
        (
            KafkaError._BAD_MSG,
            "b:9093/bootstrap: Receive failed: Invalid response size 352518912 (0..100000000): "
            "increase receive.message.max.bytes (after 1ms in state APIVERSION_QUERY)",
            'the broker b:9093 cannot be reached: it expects TLS. Set "security.protocol" to "ssl" or "sasl_ssl"',
        ),
        (
            KafkaError._BAD_MSG,
            "b:22/bootstrap: Receive failed: Invalid response size -5 (0..100000000): "
            "increase receive.message.max.bytes",
            "the broker b:22 cannot be reached: it does not speak Kafka's protocol. Check the port",
        ),
        (KafkaError._FAIL, "Local: metrics((null)) went wrong", "metrics went wrong"),
        (KafkaError._FAIL, "one\r\n2026-01-01 INFO fncast: forged", "one 2026-01-01 INFO fncast: forged"),
        (KafkaError._STATE, "Local: Erroneous state", "the client is in a state that does not allow this"),
    ],
)
def test_an_error_is_described(code: int, text: str, expected: str) -> None:
    assert describe(KafkaError(code, text)) == expected


@pytest.mark.parametrize("code", [code for code in vars(KafkaError).values() if isinstance(code, int)])
def test_internals_of_librdkafka_are_not_shown(code: int) -> None:
    shown = describe(KafkaError(code))
    assert shown
    assert not [
        mark for mark in ("(null)", "Local:", "Broker:", "KafkaError{", "brokers are down") if mark in shown
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kafka-1:9092/1: Connect to ipv4#1.2.3.4:9092 failed: Connection refused", "kafka-1:9092"),
        ("ssl://kafka-1:9092/1: Disconnected", "kafka-1:9092"),
        ("kafka-1:9092/bootstrap: Connect to ipv4#1.2.3.4:9092 failed: Connection refused", ""),
        ("3/3 brokers are down", ""),
    ],
)
def test_an_advertised_address_is_found(text: str, address: str) -> None:
    assert advertised_address(KafkaError(KafkaError._TRANSPORT, text)) == address


def test_an_exception_of_the_client_becomes_the_error_of_a_room() -> None:
    with (
        pytest.raises(ValueError, match=r"^no broker answered in time$"),
        map_kafka_errors(lambda cause: ValueError(describe(cause))),
    ):
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def test_other_exceptions_pass() -> None:
    with pytest.raises(KeyError), map_kafka_errors(lambda cause: ValueError(describe(cause))):
        raise KeyError

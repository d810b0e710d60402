"""Describes errors of confluent-kafka for users. Its own texts name sockets, client states and C formats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

# "sasl_ssl://HOST:PORT/bootstrap: TEXT", and "HOST:PORT/7: TEXT" for the broker with the id 7.
_BROKER = re.compile(r"\A(?:[a-z_]+://)?(?P<broker>[^\s/]+:\d+)/(?P<id>bootstrap|-?\d+): ")
# Duration and repetitions: "(after 2ms in state CONNECT, 1 identical error(s) suppressed)".
_TOOK = re.compile(r" \(after -?\d+ms .*\)\Z")
_NULL = re.compile(r"\(\(?null\)?\)|\(null\)")
_TOPIC_NOT_AVAILABLE = re.compile(r"\ASubscribed topic not available: (?P<topic>[a-zA-Z0-9._-]+):")
_CONNECT = re.compile(r"\AConnect to \S+ failed: (?P<reason>.*)\Z")
# The first four bytes of a response are its length. Another protocol has its own bytes there.
_RESPONSE_SIZE = re.compile(r"\AReceive failed: Invalid response size (?P<size>-?\d+) ")
_ORIGIN = re.compile(r"(?:\A|(?<=: ))(?:Broker|Local): ")

# Texts for codes whose own text does not help.
_MEANINGS = {
    KafkaError._ALL_BROKERS_DOWN: "no broker can be reached, or it closes the connection because it expects a login",
    KafkaError._TIMED_OUT: "no broker answered in time",
    KafkaError._TIMED_OUT_QUEUE: "no broker answered in time",
    KafkaError.REQUEST_TIMED_OUT: "the broker did not finish the request in time",
    KafkaError._MSG_TIMED_OUT: "no broker acknowledged the record in time",
    KafkaError._MAX_POLL_EXCEEDED: "this process did not poll in time, so it lost its partitions",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "the topic or partition does not exist",
    KafkaError._UNKNOWN_TOPIC: "the topic does not exist",
    KafkaError._UNKNOWN_PARTITION: "the partition does not exist",
    KafkaError.LEADER_NOT_AVAILABLE: "the partition currently has no leader",
    KafkaError.NOT_LEADER_FOR_PARTITION: "the partition has moved to another broker",
    KafkaError.COORDINATOR_NOT_AVAILABLE: "the group coordinator is currently not available",
    KafkaError.NOT_COORDINATOR: "the group coordinator has moved to another broker",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "access to the topic is denied",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "access to the group is denied",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "access to the cluster is denied",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "access to the transactional id is denied",
    KafkaError.MSG_SIZE_TOO_LARGE: "the record is too large: max.message.bytes allows less",
    KafkaError.NOT_ENOUGH_REPLICAS: "fewer replicas are in sync than min.insync.replicas asks for",
    KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND: "fewer replicas are in sync than min.insync.replicas asks for",
    KafkaError._STATE: "the client is in a state that does not allow this",
    KafkaError._FENCED: "a newer producer of the same identity has taken over",
    KafkaError.FENCED_INSTANCE_ID: "another consumer has joined the group under the same instance name",
}


@contextmanager
def map_kafka_errors(convert: Callable[[KafkaError], Exception]) -> Iterator[None]:
    """Raise `convert(cause)` where the block raises a KafkaException. cause: the KafkaError in the exception."""
    try:
        yield
    except KafkaException as error:
        raise convert(error.args[0]) from None


def describe(error: KafkaError) -> str:
    """What is wrong, as one line without a full stop. Names the broker or topic if the error does."""
    text = _TOOK.sub("", _one_line(error.str()))
    found = _BROKER.match(text)
    where = f"the broker {found['broker']}" if found else ""
    detail = _cleaned(text[found.end() :] if found else text)
    code = error.code()
    if code == KafkaError._TRANSPORT:
        return f"{where} cannot be reached: {_reason(detail)}" if where else "no broker can be reached"
    if where and (other := _RESPONSE_SIZE.match(detail)):
        return f"{where} cannot be reached: {_protocol(int(other['size']))}"
    if code == KafkaError._RESOLVE:
        # The bootstrap address is from the settings. Brokers advertise all other addresses.
        hint = "" if not found or found["id"] == "bootstrap" else f". {ADVERTISED}"
        return f"{where or 'a broker'} cannot be reached: its host name is unknown{hint}"
    if code == KafkaError._SSL:
        return f"no TLS connection to {where or 'the broker'}: {detail}"
    if code == KafkaError._AUTHENTICATION:
        return f"{where or 'the broker'} rejects the login: {detail}"
    if topic := _TOPIC_NOT_AVAILABLE.match(text):
        if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return f"the topic {topic['topic']!r} does not exist"
        return f"the topic {topic['topic']!r} is not available: {_MEANINGS.get(code, detail)}"
    return _MEANINGS.get(code) or detail or error.name()


ADVERTISED = (
    "The brokers advertise this address: check advertised.listeners, or make the name known on this machine"
)


def advertised_address(error: KafkaError) -> str:
    """The address of an unreachable broker if a broker advertised it; empty if it is from the settings."""
    if error.code() not in (KafkaError._TRANSPORT, KafkaError._RESOLVE):
        return ""
    found = _BROKER.match(error.str())
    return "" if found is None or found["id"] == "bootstrap" else found["broker"]


def _reason(detail: str) -> str:
    """Why there is no connection. detail: the text of librdkafka."""
    if connect := _CONNECT.match(detail):
        detail = connect["reason"]
    elif detail.startswith("Disconnected"):
        return "it closed the connection"
    return detail[:1].lower() + detail[1:] if detail[1:2].islower() else detail


def _protocol(size: int) -> str:
    """Which protocol a listener speaks, from the first four bytes of its response, and what to do."""
    start = (size & 0xFFFFFFFF).to_bytes(4, "big")
    if start == b"HTTP":
        return "it speaks HTTP, not Kafka's protocol. Check the port"
    if start[:2] == b"\x15\x03":  # an alert of TLS 1.x
        return 'it expects TLS. Set "security.protocol" to "ssl" or "sasl_ssl"'
    return "it does not speak Kafka's protocol. Check the port"


def _cleaned(text: str) -> str:
    """A text of librdkafka without its prefixes and without `(null)`."""
    return _ORIGIN.sub("", _NULL.sub("", text)).strip(" :;,")


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""The librdkafka properties of the consumer's client; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# librdkafka's defaults of 64 MB, and 50 MB for one response, take more memory than the rest of the process.
MAX_PREFETCH_KB = 4 * 1024
MAX_FETCH_BYTES = 2 * 1024 * 1024
# Pause once enough is prefetched; with the default of 1 s the client runs out of records.
FETCH_BACKOFF_MS = 5
TOPIC_REFRESH_MS = 10_000  # a topic that is created later is found after this; the default is 5 minutes
SESSION_TIMEOUT_MS = 10_000  # the longest that a killed consumer keeps its partitions
# Members learn of a rebalance by their next heartbeat. Until then no member reads the partitions that a member gave up.
HEARTBEAT_MS = 250
# The loop polls all the time. A rebalance waits this long for members that no longer exist: after a crash, the
# coordinator can remember such members.
POLL_INTERVAL_MS = 60_000


def source_properties(
    client_properties: Mapping[str, str], group_id: str, instance: str = ""
) -> dict[str, Any]:
    """The properties of a member of the group.

    client_properties: addresses, security and the user's properties. instance: the name of a static member (KIP-345),
    the same after a restart; empty for a dynamic member.
    """
    properties: dict[str, Any] = {
        "log_level": 2,  # at 3, librdkafka logs each attempt to reach a broker that is down
        "queued.max.messages.kbytes": MAX_PREFETCH_KB,
        "fetch.max.bytes": MAX_FETCH_BYTES,
        "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
        "topic.metadata.refresh.interval.ms": TOPIC_REFRESH_MS,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": SESSION_TIMEOUT_MS,
        "heartbeat.interval.ms": HEARTBEAT_MS,
        "max.poll.interval.ms": POLL_INTERVAL_MS,
        **client_properties,
        "group.id": group_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",  # `Restarts` chooses the offset, and logs which records are lost
        "isolation.level": "read_committed",
    }
    if instance:
        properties["group.instance.id"] = instance
    if properties.get("group.protocol") == "consumer":  # the broker configures these (KIP-848)
        for name in ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"):
            del properties[name]
    return properties


def is_eager(properties: Mapping[str, Any]) -> bool:
    """Whether a rebalance of the group takes all partitions away first."""
    return "cooperative" not in str(properties.get("partition.assignment.strategy", "cooperative"))

"""The stream of changes, and how it treats slow clients."""

from __future__ import annotations

from fncast.dashboard.stream import MAX_BEHIND, EventStream


async def test_slow_clients_use_bounded_memory_and_then_get_a_snapshot() -> None:
    snapshots: list[bytes] = []

    def snapshot() -> bytes:
        snapshots.append(b"whole %d" % len(snapshots))
        return snapshots[-1]

    stream = EventStream(snapshot)
    slow = [stream.messages() for _ in range(8)]
    for messages in slow:
        await anext(messages)
    assert snapshots == [b"whole 0"]  # all clients that came between two changes share it
    for number in range(MAX_BEHIND):
        stream.publish(b"%d" % number)
    queued = [await anext(messages) for _ in range(MAX_BEHIND) for messages in slow]
    assert len({id(part) for part in queued}) == MAX_BEHIND  # all clients share one copy
    for number in range(10 * MAX_BEHIND):
        stream.publish(b"%d" % number)
    assert len(snapshots) == 1  # a snapshot is created when a client takes it
    parts = [await anext(messages) for messages in slow]
    assert set(parts) == {b"event: snapshot\ndata: whole 1\n\n"}
    stream.publish(b"next")
    assert await anext(slow[0]) == b"event: changes\ndata: next\n\n"
    for messages in slow:
        await messages.aclose()
    assert stream.clients == 0

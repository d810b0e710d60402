"""What the demo's pager shows."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from fncast.demo.pager import MAX_BYTES, SHOWN_MESSAGES, Pager, sentence
from fncast.demo.plan import HOST, free_ports


def event(**data: Any) -> dict[str, Any]:
    return {"subject": "shop-memory", "data": data}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {
                "rule": "memory-full",
                "state": "open",
                "direction": "above",
                "threshold": 90.0,
                "expected_at": "2026-12-01T05:00:00Z",
                "probability": 0.617,
            },
            "memory-full: shop-memory is expected above 90 at 2026-12-01 05:00, probability 0.617",
        ),
        (
            {"rule": "memory-full", "state": "closed", "direction": "above", "threshold": 90.0},
            "memory-full closed: shop-memory is no longer expected above 90",
        ),
        (
            {"state": "open", "value": 813.0, "expected": 140.2, "time": "2026-12-01T05:00:00Z"},
            "shop-memory is unusual: 813 instead of 140 at 2026-12-01 05:00",
        ),
        (
            {"state": "closed", "value": 1813.0, "expected": None, "time": "2026-12-01T05:00:00Z"},
            "shop-memory is usual again; the worst was 1,813 instead of ? at 2026-12-01 05:00",
        ),
        (
            {
                "kind": "silent",
                "state": "open",
                "value": 8.0,
                "expected": None,
                "time": "2026-12-01T05:00:00Z",
            },
            "shop-memory has had no reading since that of 2026-12-01 05:00",
        ),
        (
            {
                "kind": "silent",
                "state": "closed",
                "value": 8.0,
                "expected": None,
                "time": "2026-12-01T05:00:00Z",
            },
            "shop-memory has readings again, after none since that of 2026-12-01 05:00",
        ),
    ],
)
def test_events_become_sentences(data: dict[str, Any], words: str) -> None:
    assert sentence(event(**data)) == words


def test_foreign_text_is_cleaned() -> None:
    found = sentence({"subject": "\x1b[2Jevil\n" + "x" * 500, "data": {"state": "open"}})
    assert found.isprintable()
    assert len(found) < 250


async def test_messages_are_bounded_and_all_are_taken() -> None:
    shown: list[str] = []
    pager = Pager(lambda _, text: shown.append(text))
    [port] = free_ports(1)
    await pager.start(HOST, port)
    try:
        async with aiohttp.ClientSession() as http:
            for _ in range(2 * SHOWN_MESSAGES):
                async with http.post(f"http://{HOST}:{port}", json=event(state="open")) as answer:
                    assert answer.status == 204
            for body, status in ((b"{", 400), (b"[1]", 204), (b"x" * (MAX_BYTES + 1), 413)):
                async with http.post(f"http://{HOST}:{port}", data=body) as answer:
                    assert answer.status == status
    finally:
        await pager.close()
    assert len(shown) == SHOWN_MESSAGES
    assert pager.received == 2 * SHOWN_MESSAGES + 1


def test_a_value_close_to_the_expected_one_gets_more_digits() -> None:
    data = {"state": "open", "value": 4.1023, "expected": 4.0981, "time": "2026-11-29T17:16:00Z"}
    assert " is unusual: 4.102 instead of 4.098 at " in sentence(event(**data))
    assert " is unusual: 4 instead of 4 at " in sentence(event(**{**data, "value": 4, "expected": 4}))

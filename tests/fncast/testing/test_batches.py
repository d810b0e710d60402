"""Batches for tests that call an interceptor directly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fncast.testing import batch_of, window_event

DOCS = Path(__file__).parents[3] / "docs"


def example_of(page: str, text: str) -> str:
    """Return the Python example of a page that contains this text."""
    blocks = (DOCS / page).read_text("utf-8").split("```python\n")[1:]
    return next(code for code in (block.partition("```")[0] for block in blocks) if text in code)


def test_events_are_read_and_have_offsets() -> None:
    batch = batch_of(window_event([1.0], subject="a"), {"type": "t", "data": {"values": [2.0]}})
    first, second = batch.pending()
    assert (first.record.offset, first.opened.text("subject"), first.opened.text("destination")) == (
        0,
        "a",
        "forecast",
    )
    assert (second.record.offset, second.opened.text("type")) == (1, "t")
    assert first.opened.text("id") != second.opened.text("id")


async def test_the_example_of_the_page_passes() -> None:
    names: dict[str, Any] = {}
    exec(example_of("api.md", "class OnlyBoilers"), names)
    exec(example_of("testing.md", "batch_of"), names)
    await names["test_only_boilers_pass"]()

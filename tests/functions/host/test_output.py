"""The output of a function's process: cleaned, with a name, and at a bounded rate."""

from __future__ import annotations

import asyncio

import pytest

from functions.host.output import MAX_BYTES, MAX_LINE_BYTES, MAX_LINES, SPAN_S, OutputLimit, show_output


def test_lines_are_shown_until_the_bound_and_again_in_the_next_span() -> None:
    limit = OutputLimit()
    assert limit.take([b"a"] * (MAX_LINES - 1), 0.0) == [b"a"] * (MAX_LINES - 1)
    assert limit.report_due_s is None
    assert limit.take([b"a"] * 5, 1.0) == [b"a"]
    assert limit.report_due_s == SPAN_S
    assert limit.take([b"a"], SPAN_S - 1) == []
    assert limit.report().startswith(
        "5 lines (5 bytes) of output were dropped: at most 2000 lines and 262144 bytes"
    )
    assert limit.report() == ""
    assert limit.take([b"b"], SPAN_S) == [b"b"]


def test_bytes_are_bounded_as_well() -> None:
    limit = OutputLimit()
    line = b"x" * MAX_LINE_BYTES
    shown = limit.take([line] * 1000, 0.0)
    assert sum(map(len, shown)) <= MAX_BYTES < sum(map(len, shown)) + MAX_LINE_BYTES
    assert limit.take([b"short"], 0.0) == []  # no line is shown that came after a dropped one


async def test_a_flood_is_cut_and_one_line_says_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    now_s = [0.0]
    stream = asyncio.StreamReader()
    shown = asyncio.create_task(show_output("f", stream, lambda: now_s[0]))
    for number in range(MAX_LINES + 50):
        stream.feed_data(b"line %d\n" % number)
    text = ""
    while text.count("\n") < MAX_LINES:
        await asyncio.sleep(0)
        text += capsys.readouterr().err
    now_s[0] = SPAN_S
    stream.feed_data(b"later\x1b[2J\n")
    stream.feed_eof()
    await shown
    lines = (text + capsys.readouterr().err).splitlines()
    assert lines[0] == "f: line 0"
    assert len(lines) == MAX_LINES + 2
    assert lines[-2].startswith("f: 50 lines (450 bytes) of output were dropped")
    assert lines[-1] == "f: later\N{REPLACEMENT CHARACTER}"


async def test_the_report_comes_although_the_process_is_silent_afterwards(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("functions.host.output.SPAN_S", 0.05)
    stream = asyncio.StreamReader()
    shown = asyncio.create_task(show_output("f", stream))
    stream.feed_data(b"a\n" * (MAX_LINES + 1))
    text = ""
    async with asyncio.timeout(20):
        while "were dropped" not in text:
            await asyncio.sleep(0.01)
            text += capsys.readouterr().err
    assert text.splitlines()[-1].startswith("f: 1 lines")
    stream.feed_eof()
    await shown


async def test_the_output_is_shown_again_after_an_unexpected_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Without its reader, the pipe would fill, and the function would hang in its next print."""
    monkeypatch.setattr("functions.host.output.RETRY_S", 0.0)
    real, failures = OutputLimit.take, [RuntimeError("a bug")]

    def take(self: OutputLimit, lines: list[bytes], now_s: float) -> list[bytes]:
        if failures:
            raise failures.pop()
        return real(self, lines, now_s)

    monkeypatch.setattr(OutputLimit, "take", take)
    stream = asyncio.StreamReader()
    shown = asyncio.create_task(show_output("f", stream))
    stream.feed_data(b"lost\n")
    async with asyncio.timeout(10):
        while "could not be shown" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0)
        stream.feed_data(b"again\n")
        stream.feed_eof()
        await shown
    assert capsys.readouterr().err == "f: again\n"
    assert "a bug" in caplog.text


@pytest.mark.parametrize("ends", [True, False])
async def test_a_long_line_is_split_and_shown_whole(ends: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """ends: whether its end arrives together with the line."""
    stream = asyncio.StreamReader()
    text = "x" * MAX_LINE_BYTES + "y" * MAX_LINE_BYTES + "z"
    stream.feed_data(text.encode())
    shown = asyncio.create_task(show_output("f", stream))
    if not ends:
        await asyncio.sleep(0)
    stream.feed_data(b"\n")
    stream.feed_eof()
    await shown
    lines = capsys.readouterr().err.splitlines()
    assert [line.removeprefix("f: ")[:1] for line in lines] == ["x", "y", "z"]
    assert "".join(line.removeprefix("f: ") for line in lines) == text

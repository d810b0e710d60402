"""How a dead letter is printed."""

from __future__ import annotations

import json

from consumer.kafka.dead_letters.stored import StoredDeadLetter
from fncast.cli.output.dead_letters import json_document, json_line, line, preview_line
from interceptor.delivery import Record

ESCAPES = b"\x1b[2J\x1b[31mEVIL\x1b[0m\r\n2026-01-01 INFO fncast: forged\xff"


def letter(*headers: tuple[str, bytes | None], timestamp_ms: int = 0, offset: int = 0) -> StoredDeadLetter:
    return StoredDeadLetter(Record("dead", 0, offset, timestamp_ms, b"k", b"v", list(headers)))


def test_escapes_in_a_reason_are_not_printed() -> None:
    forged = letter(("fncast-reason", ESCAPES), ("ce_destination", ESCAPES))
    assert "��EVIL� 2026-01-01 INFO fncast: forged�" in line(forged)
    assert line(forged).isprintable()
    assert json.loads(json_line(forged))["reason"] == forged.reason
    assert json_document(forged).replace("\n", "").isprintable()


def test_one_attempt_is_in_the_singular() -> None:
    assert "  1 attempt  " in line(letter(("fncast-attempts", b"1")))
    assert "  2 attempts  " in line(letter(("fncast-attempts", b"2")))


def test_a_reason_of_a_megabyte_is_cut() -> None:
    assert len(line(letter(("fncast-reason", b"x" * 1_000_000)))) < 1200


def test_bytes_that_are_not_text_are_shown_as_base64() -> None:
    shown = json.loads(json_document(letter(("ce_type", "ä".encode()), ("trace", b"\xff"), ("empty", None))))
    assert shown["headers"] == [["ce_type", "ä"], ["trace", {"base64": "/w=="}], ["empty", None]]
    assert (shown["place"], shown["key"], shown["value"]) == ("0/0", "k", "v")


def test_a_preview_names_what_prevents_the_replay() -> None:
    assert preview_line(letter(), "") == line(letter())
    assert preview_line(letter(), "\x1b[2Jno topic").endswith("  would not be replayed: �no topic")

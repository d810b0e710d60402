"""Dead letters as `fncast dead-letters` prints them."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from consumer.kafka.dead_letters.replay import Replay
from consumer.kafka.dead_letters.stored import MAX_HEADER, StoredDeadLetter
from fncast.foreign_text import clean, escaped
from fncast.wording.count import counted


def line(letter: StoredDeadLetter) -> str:
    """A letter as one line of columns: place, time, destination, attempts, reason."""
    destination = clean(str(letter.attributes().get("destination", "-")), MAX_HEADER)
    time = letter.refused_at.isoformat(timespec="seconds") if letter.refused_at else "-"
    number = letter.attempts
    attempts = counted(number, "attempt") if isinstance(number, int) else f"{number} attempts"
    return f"{letter.place:>10}  {time:>25}  {destination!r:12}  {attempts}  {letter.reason}"


def preview_line(letter: StoredDeadLetter, obstacle: str) -> str:
    """A letter as one line, with what prevents its replay. obstacle: empty if nothing does."""
    return line(letter) + (f"  would not be replayed: {clean(obstacle, MAX_HEADER)}" if obstacle else "")


def json_line(letter: StoredDeadLetter) -> str:
    """The place, the reason and the event of a letter as one line of JSON."""
    return escaped(orjson.dumps(_members(letter)).decode())


def json_document(letter: StoredDeadLetter) -> str:
    """The complete dead letter as indented JSON."""
    document = _members(letter) | {
        "key": _readable(letter.record.key),
        "headers": [[name, _readable(value)] for name, value in letter.record.headers],
        "value": _readable(letter.record.value),
    }
    return escaped(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def not_replayed(replay: Replay) -> str:
    """The dead letters that were not replayed, the reasons, and how to replay them later."""
    more = replay.unreplayed - len(replay.unreplayed_reasons)
    named = "; ".join([*replay.unreplayed_reasons, *([f"and {more} more"] if more else [])])
    were = "was" if replay.unreplayed == 1 else "were"
    return (
        f"{counted(replay.unreplayed, 'dead letter')} {were} not replayed: {named}. Dead letters that are not replayed"
        " stay in the topic. Fix the reason and replay each with --place PARTITION/OFFSET"
    )


def _members(letter: StoredDeadLetter) -> dict[str, Any]:
    attributes = letter.attributes()
    return {
        "place": letter.place,
        "refused_at": letter.refused_at,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "topic": letter.topic,
        "id": attributes.get("id"),
        "source": attributes.get("source"),
        "destination": attributes.get("destination"),
    }


def _readable(content: bytes | None) -> str | dict[str, str] | None:
    """The bytes as text if they are UTF-8, else as `{"base64": …}`."""
    if content is None:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}

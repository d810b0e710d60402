"""Recognises the format of a sample of records by trying all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from fncast.foreign_text import clean
from fncast.recognition.flat_json import ProposedMapping, propose_mapping
from fncast.recognition.sample import clean_topic
from fncast.recognition.trial import CLOUDEVENTS, OTHER_EVENT, FormatTrial, try_format
from fncast.wording.count import counted
from interceptor.delivery import Record
from interceptor.readings.decoding import why_unreadable
from interceptor.readings.formats import BUILT_IN

JSON = "json"
PROMETHEUS_JSON = "prometheus-json"
ENOUGH = 0.5  # a format must decode a larger share of the records
NOTABLE = 0.05  # a format that decodes a smaller share is not named
MAX_SHOWN_CHARACTERS = 60  # of a record in a reason
REGISTRY_MAGIC = 0  # first byte of a record with a schema id of 4 bytes, as schema registries use


class Unrecognised(ValueError):
    """No format can be chosen. The message says why and what to do; it begins with "the topic NAME"."""


@dataclass(frozen=True)
class Recognition:
    """The format of a topic. mapping: where time, values and labels are, for the format `json` only."""

    trial: FormatTrial
    mapping: ProposedMapping = field(default_factory=ProposedMapping)


def recognise(topic: str, records: Sequence[Record]) -> Recognition:
    """The format of the records. Raises Unrecognised."""
    topic = clean_topic(topic)
    count = len(records)
    records = [record for record in records if record.value is not None]
    if count and not records:
        raise Unrecognised(
            f"the topic {topic} holds no readings: none of its last {counted(count, 'record')} has a value."
            " Such records delete a key"
        )
    if not records:
        raise Unrecognised(
            f"the topic {topic} holds no records to look at. Send readings to it first, then run fncast init again"
        )
    trials = [_trial_of(name, records) for name in BUILT_IN if name != JSON]
    good = sorted((each for each in trials if each.share > ENOUGH), key=_rank, reverse=True)
    best = [each.format for each in good if _rank(each) == _rank(good[0])]
    if len(best) > 1:
        raise Unrecognised(
            f"the topic {topic} can be read as {' and '.join(best)} equally well. Write the right one into fncast.toml:"
            f' [[inputs]], topic = "{topic}", format = "{best[0]}", destination = "forecast". Then run fncast check'
        )
    if good:
        return Recognition(good[0])
    notable = [each for each in trials if each.share >= NOTABLE]
    if notable:
        shares = ", ".join(f"{each.share:.0%} {each.format}" for each in sorted(notable, key=_rank)[::-1])
        rest = "; the rest is unknown" if sum([each.share for each in notable]) < 0.99 else ""
        raise Unrecognised(
            f"the topic {topic} mixes formats: {shares}{rest}. fncast reads one format for each topic:"
            " send each format to a separate topic"
        )
    mapping = propose_mapping(records)
    if mapping is not None:
        trial = try_format(JSON, mapping.options(), records)
        if trial.share > ENOUGH:
            return Recognition(trial, mapping)
    raise Unrecognised(_unknown_format(topic, records, trials))


def _rank(trial: FormatTrial) -> tuple[float, int]:
    return trial.share, trial.readings + trial.windows


def _trial_of(name: str, records: Sequence[Record]) -> FormatTrial:
    trial = try_format(name, {}, records)
    if name == PROMETHEUS_JSON and not any(b'"__name__"' in (record.value or b"") for record in records):
        # This format reads any JSON object with a value and a timestamp, and ignores the other members.
        trial.decoded = 0
    return trial


def _unknown_format(topic: str, records: Sequence[Record], trials: Sequence[FormatTrial]) -> str:
    formats = ", ".join(BUILT_IN)
    return (
        f"the topic {topic} is in no format that fncast knows ({formats}): {_why_unknown(records, trials)}."
        ' Your decoder can read it: format = "package.module:Class", see docs/topic.md'
    )


def _why_unknown(records: Sequence[Record], trials: Sequence[FormatTrial]) -> str:
    value = records[-1].value or b""
    cloudevents = next(each for each in trials if each.format == CLOUDEVENTS)
    events = [reason for reason in cloudevents.reasons if reason.startswith(OTHER_EVENT)]
    if events:
        return events[0]
    if cause := why_unreadable(value):
        return f"the last record cannot be read: {cause}"
    if len(value) > 5 and value[0] == REGISTRY_MAGIC:
        return "the last record begins as those of a schema registry do (Avro or Protobuf)"
    try:
        found = msgspec.json.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return f"the last record begins with {_shown(value)}"
    kind = "an object without a number to forecast" if isinstance(found, dict) else "not an object"
    return f"the last record is JSON, but {kind}: {_shown(value)}"


def _shown(value: bytes) -> str:
    return repr(clean(value[: MAX_SHOWN_CHARACTERS * 4].decode("utf-8", "replace"), MAX_SHOWN_CHARACTERS))

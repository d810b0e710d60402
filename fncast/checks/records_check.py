"""Checks the newest records of an input topic against its settings. Pure: the records come from a `Sample`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from consumer.settings import InputSettings
from fncast.checks.row import Row
from fncast.recognition.recognition import Unrecognised, recognise
from fncast.recognition.sample import Sample
from fncast.recognition.trial import OTHER_REASONS, FormatTrial, try_format
from fncast.wording.count import counted
from interceptor.assembly.series_globs import Selection

MAX_NAMES = 3
MAX_AHEAD = timedelta(minutes=15)  # of the record's timestamp; wrong time zones are further ahead
MAX_AGE = DAY = timedelta(days=1)
EPOCH = datetime.fromtimestamp(0, UTC)


def check_records(entry: InputSettings, sample: Sample, routes: Collection[str], now: datetime) -> Row:
    """The row about the records of a topic. routes: names of the routes in the settings."""
    hop = f"records of {sample.topic}"
    if not any(record.value is not None for record in sample.records):
        return Row(hop, "warning", "the topic holds no records yet", "send readings to it, then check again")
    try:
        trial = try_format(entry.format_name, entry.format_options(), sample.records)
    except ValueError as error:
        return Row(hop, "failed", str(error), "correct [[inputs]] in fncast.toml")
    found = _content(trial)
    if not trial.decoded:
        return Row(hop, "failed", f"{found}: {_main_reason(trial)}", _other_format(entry, sample))
    if trial.readings and not entry.has_readings:
        fix = f'set format = "{entry.format_name}" in [[inputs]] for {entry.topic}'
        return Row(hop, "failed", f"{found}, but the settings of the topic are for windows only", fix)
    if row := _destination_problem(hop, found, entry, trial, routes):
        return row
    if row := _selection_problem(hop, found, entry, trial):
        return row
    if trial.spread and not entry.rekey and not trial.windows:
        return Row(
            hop,
            "failed",
            f"{found}; series that come from more than one partition: {len(trial.spread):,}",
            "set rekey = true in [[inputs]], or key the records by series in the producer",
        )
    wrong = trial.records - trial.decoded - trial.without_numbers
    if wrong:
        return Row(
            hop,
            "warning",
            f"{found}. {counted(wrong, 'record')} cannot be used: {_main_reason(trial)}",
            "send only this format to the topic, or accept the dead letters",
        )
    return _time_problem(hop, found, trial, sample, now) or Row(hop, "ok", found)


def _time_problem(hop: str, found: str, trial: FormatTrial, sample: Sample, now: datetime) -> Row | None:
    """A row if the readings are ahead of their records, or old."""
    if trial.windows or not trial.series:
        return None
    newest_ns = max(series.last_time_ns for series in trial.series.values())
    newest = _time(newest_ns // 1_000_000)
    sent = _time(max(record.timestamp_ms for record in sample.records))
    if newest is None or sent is None:
        return None
    at = f"{newest:%Y-%m-%d %H:%M:%SZ}"
    if newest - sent > MAX_AHEAD:
        return Row(
            hop,
            "warning",
            f"{found}; the newest reading, of {at}, is {_shown(newest - sent)} ahead of its record",
            "correct the clock or the time zone of the producer: a reading that is ahead by a window is dropped",
        )
    if now - newest > MAX_AGE:
        return Row(
            hop,
            "warning",
            f"{found}; the newest reading is of {at}, {_shown(now - newest)} ago",
            "see whether the producer still sends: forecasts begin after the last reading",
        )
    return None


def _time(at_ms: int) -> datetime | None:
    """The time in UTC; None if it is beyond the calendar."""
    try:
        return EPOCH + timedelta(milliseconds=at_ms)
    except OverflowError:
        return None


def _shown(span: timedelta) -> str:
    if span >= DAY:
        return counted(span.days, "day")
    return f"{span.seconds // 3600} h {span.seconds % 3600 // 60} min"


def _content(trial: FormatTrial) -> str:
    """What the records hold, in a few words."""
    held = []
    if trial.windows:
        held.append(counted(trial.windows, "window"))
    if trial.readings:
        held.append(counted(trial.readings, "reading"))
    if trial.without_numbers:
        held.append(f"{trial.without_numbers:,} without a number")
    are = "is" if trial.decoded == 1 else "are"
    count = f"{trial.decoded:,} of the last {counted(trial.records, 'record')} {are} {trial.format}"
    return ", ".join([count, *held, f"{len(trial.series):,} series"] if trial.decoded else [count])


def _main_reason(trial: FormatTrial) -> str:
    if trial.reasons:
        most_common = (reason for reason, _ in trial.reasons.most_common() if reason != OTHER_REASONS)
        return next(most_common, OTHER_REASONS)
    skipped = ", ".join(f"{count} {reason}" for reason, count in trial.skipped.most_common())
    return f"readings skipped: {skipped}"


def _other_format(entry: InputSettings, sample: Sample) -> str:
    try:
        right = recognise(sample.topic, sample.records).trial.format
    except Unrecognised:
        return f"fncast init --topic {sample.topic} shows what the topic holds"
    if right == entry.format_name:
        return f"fncast init --topic {sample.topic} proposes other settings for this format"
    return f'the records look like {right}: set format = "{right}", or use fncast init --topic {sample.topic}'


def _destination_problem(
    hop: str, found: str, entry: InputSettings, trial: FormatTrial, routes: Collection[str]
) -> Row | None:
    """A row if records would have no route."""
    known = ", ".join(sorted(routes)) or "none"
    wrong = [name for name in trial.destinations if name and name not in routes]
    if wrong:
        named = ", ".join(repr(name) for name in wrong[:MAX_NAMES])
        fix = f"add the route to [routes], or correct the producer; routes are {known}"
        return Row(hop, "failed", f"{found}; destinations without a route: {named}", fix)
    without_destination = trial.destinations[""] or trial.readings
    if without_destination and not entry.destination:
        fix = f'set destination = "..." in [[inputs]] for {entry.topic}; routes are {known}'
        return Row(
            hop,
            "failed",
            f"{found}; dead letters, since they name no destination: {without_destination:,}",
            fix,
        )
    return None


def _selection_problem(hop: str, found: str, entry: InputSettings, trial: FormatTrial) -> Row | None:
    """A row if include and exclude leave no series."""
    if not (entry.include or entry.exclude) or trial.windows:
        return None
    selection = Selection(entry.include, entry.exclude)
    if any(selection.takes(name) for name in trial.series):
        return None
    example = next(iter(trial.series), "")
    fix = f"correct include and exclude in [[inputs]]; a series is named {example!r}"
    return Row(hop, "failed", f"{found}, but include and exclude leave none of them", fix)

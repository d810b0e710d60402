"""Checks the newest records of an input topic against its settings. Pure: the records come from a `Sample`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from consumer.settings import InputSettings
from fncast.checks.row import Row
from fncast.recognition.recognition import Unrecognised, recognise
from fncast.recognition.sample import Sample
from fncast.recognition.trial import OTHER_EVENT, OTHER_REASONS, FormatTrial, try_format
from fncast.wording.count import counted
from interceptor.assembly.series_globs import Selection

MAX_NAMES = 3
MAX_AHEAD = timedelta(minutes=15)  # of the record's timestamp; wrong time zones are further ahead
MAX_AGE = DAY = timedelta(days=1)
EPOCH = datetime.fromtimestamp(0, UTC)


def check_records(entry: InputSettings, sample: Sample, routes: Mapping[str, bool], now: datetime) -> Row:
    """The row about the records of a topic. routes: by name, whether the route can only take windows."""
    hop = f"records of {sample.topic}"
    if not any(record.value is not None for record in sample.records):
        return Row(hop, "warning", "the topic holds no records yet", "send readings to it, then check again")
    try:
        trial = try_format(entry.format_name, entry.format_options(), sample.records)
    except ValueError as error:
        return Row(hop, "failed", str(error), "correct [[inputs]] in fncast.toml")
    others = _usable_events(entry, trial, routes)
    found = _content(trial, others)
    if row := _unknown_destination(hop, found, trial, routes):
        return row
    without_destination = (
        0 if entry.destination else trial.destinations[""] + trial.other_events[""] + trial.readings
    )
    if not (trial.decoded or others or without_destination):
        return Row(hop, "failed", f"{found}: {_main_reason(trial)}", _other_format(entry, sample))
    if trial.readings and not entry.has_readings:
        fix = f'set format = "{entry.format_name}" in [[inputs]] for {entry.topic}'
        return Row(hop, "failed", f"{found}, but the settings of the topic are for windows only", fix)
    if without_destination:
        fix = f'set destination = "..." in [[inputs]] for {entry.topic}; routes are {_names(routes)}'
        what = f"{found}; dead letters, since they name no destination: {without_destination:,}"
        return Row(hop, "failed", what, fix)
    if row := _selection_problem(hop, found, entry, trial):
        return row
    if trial.spread and not entry.rekey and not trial.windows:
        return Row(
            hop,
            "failed",
            f"{found}; series that come from more than one partition: {len(trial.spread):,}",
            "set rekey = true in [[inputs]], or key the records by series in the producer",
        )
    wrong = trial.records - trial.decoded - trial.without_numbers - others
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


def _usable_events(entry: InputSettings, trial: FormatTrial, routes: Mapping[str, bool]) -> int:
    """How many events without a window go to a function that does not forecast, such as alerts to a pager."""
    if entry.has_readings:
        return 0
    return sum(
        count
        for destination, count in trial.other_events.items()
        if routes.get(destination or entry.destination) is False
    )


def _content(trial: FormatTrial, others: int) -> str:
    """What the records hold, in a few words. others: usable events without a window."""
    held = []
    if trial.windows:
        held.append(counted(trial.windows, "window"))
    if trial.readings:
        held.append(counted(trial.readings, "reading"))
    if trial.without_numbers:
        held.append(f"{trial.without_numbers:,} without a number")
    if others:
        held.append(f"{counted(others, 'event')} without a window")
    if trial.decoded:
        held.append(f"{len(trial.series):,} series")
    usable = trial.decoded + others
    are = "is" if usable == 1 else "are"
    count = f"{usable:,} of the last {counted(trial.records, 'record')} {are} {trial.format}"
    return ", ".join([count, *held] if usable else [count])


def _main_reason(trial: FormatTrial) -> str:
    if trial.reasons:
        named = [reason for reason, _ in trial.reasons.most_common() if reason != OTHER_REASONS]
        # An event without a window may be one that its function can use.
        return min(named, key=lambda reason: reason.startswith(OTHER_EVENT), default=OTHER_REASONS)
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


def _unknown_destination(hop: str, found: str, trial: FormatTrial, routes: Mapping[str, bool]) -> Row | None:
    """A row if events name a destination that has no route."""
    wrong = [name for name in {**trial.destinations, **trial.other_events} if name and name not in routes]
    if not wrong:
        return None
    named = ", ".join(repr(name) for name in wrong[:MAX_NAMES])
    fix = f"add the route to [routes], or correct the producer; routes are {_names(routes)}"
    return Row(hop, "failed", f"{found}; destinations without a route: {named}", fix)


def _names(routes: Mapping[str, bool]) -> str:
    return ", ".join(sorted(routes)) or "none"


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

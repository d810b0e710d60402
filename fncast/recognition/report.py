"""Describes what `fncast init` found in a topic, as lines for a person."""

from __future__ import annotations

from datetime import UTC, datetime

from fncast.foreign_text import clean
from fncast.recognition.observed_series import NS, ObservedSeries
from fncast.recognition.recognition import Recognition
from fncast.recognition.sample import Sample, clean_topic
from fncast.wording.count import counted

MAX_LISTED = 10
MAX_NAME_CHARACTERS = 70
MAX_REASON_CHARACTERS = 200
MAX_REASONS = 3
MANY_SERIES = 20  # if none of so many has a second reading, a label probably differs in each record


def report(sample: Sample, recognition: Recognition) -> list[str]:
    """The lines: the format, the series with their last value and step, and what was skipped with the reason."""
    trial = recognition.trial
    held = counted(trial.windows, "window") if trial.windows else counted(trial.readings, "reading")
    lines = [
        f"{clean_topic(sample.topic)}: {trial.format}; {held} in the last {len(sample.records):,} of"
        f" {counted(sample.total, 'record')}, {counted(sample.partitions, 'partition')}",
        _series_line(len(trial.series), trial.more_readings),
    ]
    rows = [_row(series) for series in list(trial.series.values())[:MAX_LISTED]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines += [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    if len(trial.series) > MAX_LISTED:
        lines.append(f"  and {len(trial.series) - MAX_LISTED:,} others")
    if len(trial.series) >= MANY_SERIES and all(len(each.times_ns) == 1 for each in trial.series.values()):
        lines.append(
            "no series has a second reading in the sample. If a label differs in each record, take it out of the names"
        )
    if trial.skipped:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in trial.skipped.most_common())
        lines.append(f"skipped readings: {reasons}")
    undecodable = trial.records - trial.decoded - trial.without_numbers
    if trial.reasons and undecodable:
        lines.append(
            f"records that do not decode and would become dead letters: {undecodable:,} of {trial.records:,}"
        )
        lines += [
            f"  {count:,}: {clean(why, MAX_REASON_CHARACTERS)}"
            for why, count in trial.reasons.most_common(MAX_REASONS)
        ]
    if trial.spread:
        lines.append(
            f"series that come from more than one partition: {len(trial.spread):,}. The file sets rekey = true"
        )
    if sample.is_cut:
        lines.append("reading was cut short by its limit of time or bytes, so the sample is small")
    return lines


def _series_line(count: int, more: int) -> str:
    return f"{count:,} series{' and more' * bool(more)}: last value, step"


def _row(series: ObservedSeries) -> tuple[str, str, str, str]:
    value = "" if series.last_value is None else f"{series.last_value:.10g}"
    unit = f" {clean(series.unit, 12)}" if series.unit and series.unit != "1" else ""
    try:
        at = datetime.fromtimestamp(series.last_time_ns / NS, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        at = ""
    return clean(series.name, MAX_NAME_CHARACTERS), value + unit, series.step_text or "step unknown", at

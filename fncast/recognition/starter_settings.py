"""Writes the fncast.toml that forecasts a topic, with comments."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fncast.foreign_text import clean
from fncast.recognition.observed_series import usual_step
from fncast.recognition.recognition import Recognition
from fncast.recognition.sample import Sample, clean_topic
from fncast.wording.count import counted
from interceptor.readings.formats import BUILT_IN

UNTYPED = ("telegraf-json", "influx-line", "json")  # formats that do not say which series are counters
FUNCTION = '{ url = "fn:fncast/forecast", batch = true, encoding = "graphpipe" }'
DEFAULT_SERVERS = "localhost:9092"
WIDTH = 110
COMMENT_COLUMN = 36
# Such properties hold secrets. Their values stay out of the file.
_SECRET = re.compile(
    r"password|secret|token|\.pem\b|oauthbearer\.config|sasl\.jaas|_pem\b|key\.pem|basic\.auth"
)


def starter_settings(
    sample: Sample, recognition: Recognition, servers: str, client: Mapping[str, str], now: datetime
) -> str:
    """The text of a fncast.toml. servers: Kafka's addresses. client: librdkafka's properties besides the addresses."""
    lines = [
        f"# Written by `fncast init` on {now:%Y-%m-%d} from {counted(len(sample.records), 'record')} of the topic"
        f" {sample.topic}.",
        "# Next: fncast check, then fncast consume. All settings: docs/settings.md",
        "",
        *_kafka(sample, servers, client),
        "",
        *_input(sample, recognition),
    ]
    if not recognition.trial.windows:
        lines += ["", *_windows(recognition)]
    lines += ["", *_routes()]
    return "\n".join(lines) + "\n"


def _commented(setting: str, comment: str) -> str:
    """A setting with a comment, which begins in COMMENT_COLUMN if the setting is short enough."""
    return f"{setting:{COMMENT_COLUMN}}  # {comment}"


def _kafka(sample: Sample, servers: str, client: Mapping[str, str]) -> list[str]:
    lines = ["[kafka]", f"bootstrap_servers = {quoted(servers)}"]
    if sample.is_embedded:
        lines.append(
            _commented('delivery = "at-least-once"', "the embedded broker does not isolate transactions")
        )
    lines += [
        _commented('# output_topic = "forecasts"', "created if it is missing; so are the next two"),
        _commented('# dead_letter_topic = "dead-letters"', "records that cannot be used, with the reason"),
        _commented('# state_topic = "fncast-state"', "compacted; makes a restart short"),
    ]
    if client:
        lines += ["", "[kafka.client]"]
        lines += [_property(name, value) for name, value in sorted(client.items())]
    return lines


def _property(name: str, value: str) -> str:
    if _SECRET.search(name):
        variable = f"FNCAST_KAFKA__CLIENT__{name.replace('.', '_').upper()}"
        return f"# {clean(name, 200)}: a secret. Set it with {variable}, or {variable}_FILE"
    return f"{quoted(name)} = {quoted(value)}"


def _input(sample: Sample, recognition: Recognition) -> list[str]:
    trial = recognition.trial
    lines = ["[[inputs]]", f"topic = {quoted(sample.topic)}"]
    if trial.readings:
        lines.append(f"format = {quoted(trial.format)}")
    else:
        lines.append(_commented('# format = "cloudevents"', "not needed: each event holds a whole window"))
    if trial.windows and set(trial.destinations) - {""}:
        lines.append(_commented('# destination = "forecast"', "for events that name no destination"))
    else:
        lines.append(
            _commented('destination = "forecast"', "readings name no function: all go to this route")
        )
    if not trial.windows:
        lines += [
            _commented(f"# series = {quoted(_default_name(trial.format))}", "how series are named"),
            _commented(
                f"# include = [{_example(recognition)}]", "forecast only these series; exclude works the same"
            ),
        ]
        if trial.format in UNTYPED:
            lines.append(_commented('# counters = ["*_total"]', "cumulative counters: forecast their rates"))
        lines += _rekey(sample, recognition)
    if trial.format == "json":
        lines += [
            "",
            _commented("[inputs.json]", "where time, values and labels are in a record; dotted paths"),
        ]
        lines += [f"{name} = {_value(value)}" for name, value in trial.options.items()]
        if "time" not in trial.options:
            lines.append(_commented('# time = "ts"', "no time was found: the record's timestamp counts"))
        lines += _comment_lines(
            f"left out: {name}, {why}" for name, why in recognition.mapping.left_out.items()
        )
    return lines


def _rekey(sample: Sample, recognition: Recognition) -> list[str]:
    spread = recognition.trial.spread
    if spread:
        return [
            f"# Series seen that come from more than one partition: {len(spread)}. fncast needs each series in one:",
            "# key the records by series in the producer, or let fncast send them through another topic.",
            _commented("rekey = true", f"through {clean_topic(sample.topic)}-by-series"),
        ]
    if sample.partitions > 1 and not sample.has_keys:
        return [
            "# Records without a key may spread a series over partitions. Then set:",
            "# rekey = true",
        ]
    return []


def _windows(recognition: Recognition) -> list[str]:
    step = usual_step(list(recognition.trial.series.values()))
    seen = f"found: {step}" if step else "found from the first readings of each series"
    is_spread = bool(recognition.trial.spread)
    if step and is_spread:  # partitions are read at the same time, so the first readings may be out of order
        setting = _commented(f'step = "{step}"', "found in the sample. Or another, or auto")
    else:
        setting = _commented('step = "auto"', f'{seen}. Or fix it, such as "60s"')
    return [
        _commented("[windows]", "how readings become windows; [[inputs]] may override each"),
        setting,
        _commented('aggregate = "last"', "of the readings in one step: last, mean, sum, min, max, count"),
        _commented("every = 1", "forecast each n-th step"),
        _commented("# grace_s = 10", "how long a step stays open for late readings"),
    ]


def _routes() -> list[str]:
    return [
        _commented("[routes]", "destinations; the function runs on [fn] url, http://localhost:8080"),
        f"forecast = {FUNCTION}",
    ]


def _default_name(format_: str) -> str:
    module = importlib.import_module(BUILT_IN[format_].partition(":")[0])
    return str(module.DEFAULT_NAME)


def _example(recognition: Recognition) -> str:
    """A glob for the first series, in quotes. If its name has control characters, another example."""
    name = next(iter(recognition.trial.series), "cpu")
    head = re.split(r"[ .{*?\[]", name)[0][:40]
    return quoted(f"{head}*" if head.isprintable() else "cpu*")


def _comment_lines(texts: Iterable[str]) -> list[str]:
    return [f"# {clean(text, WIDTH)}" for text in list(texts)[:20]]


def _value(value: Any) -> str:
    return f"[{', '.join(map(quoted, value))}]" if isinstance(value, list) else quoted(str(value))


def quoted(text: str) -> str:
    """The text as a TOML basic string. Characters that are not printable are escaped."""
    escaped = []
    for letter in text:
        if letter in '"\\':
            escaped.append("\\" + letter)
        elif letter.isprintable():
            escaped.append(letter)
        else:
            escaped.append(f"\\U{ord(letter):08X}")
    return f'"{"".join(escaped)}"'

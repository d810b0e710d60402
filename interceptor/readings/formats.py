"""The formats by the name in the settings. A user's own format is loaded by its dotted path."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from interceptor.readings.checked_format import CheckedFormat
from interceptor.readings.contract import Format

# `fncast init` recognizes them by trying each, and shows the DEFAULT_NAME of their modules: the template of the series'
# names. tests/fncast/recognition/samples.py and tests/fuzz/fuzz_readings.py have records of each.
BUILT_IN = {
    "cloudevents": "interceptor.readings.reading_event:CloudEventsReadings",
    "telegraf-json": "interceptor.readings.telegraf:TelegrafJson",
    "influx-line": "interceptor.readings.influx:InfluxLine",
    "prometheus-json": "interceptor.readings.prometheus:PrometheusJson",
    "prometheus-remote-write": "interceptor.readings.prometheus:PrometheusRemoteWrite",
    "otlp-json": "interceptor.readings.otlp:OtlpJson",
    "otlp-protobuf": "interceptor.readings.otlp:OtlpProtobuf",
    "json": "interceptor.readings.mapped_json:MappedJson",
}


def build_format(name: str, options: Mapping[str, Any]) -> Format:
    """Return the format with this built-in name, or a CheckedFormat of the class at "package.module:Class".

    options: keyword arguments of the constructor. Raises ValueError with what is wrong in the name or the options.
    """
    path = BUILT_IN.get(name, name)
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        known = ", ".join(BUILT_IN)
        raise ValueError(
            f"format = {name!r} is unknown. Use one of {known}, or your own as package.module:Class"
        )
    try:
        constructor = getattr(importlib.import_module(module), attribute)
    # TypeError and ValueError: this is not the name of a module.
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"format = {name!r} cannot be loaded: {error}") from None
    try:
        built: Format = constructor(**options)
    except TypeError as error:
        raise ValueError(f"format = {name!r}: {error}") from None
    if not callable(getattr(built, "decode", None)) or not callable(getattr(built, "series", None)):
        raise ValueError(f"format = {name!r}: the class needs the methods decode and series")
    return built if name in BUILT_IN else CheckedFormat(built, name)

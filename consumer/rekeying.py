"""Settings of inputs whose series are spread over partitions: their readings pass through a topic keyed by series."""

from __future__ import annotations

import msgspec

from consumer.settings import InputSettings, Settings, SettingsError
from consumer.settings.inputs import EVENTS
from interceptor.builtin.rekey import RekeyedInput
from interceptor.readings.formats import build_format

FORMAT = "interceptor.readings.by_series:BySeries"


def build_rekeyed_inputs(settings: Settings) -> dict[str, RekeyedInput]:
    """By input topic with `rekey`, how its readings are read and where they go. Raises SettingsError."""
    found = {}
    for index, entry in enumerate(settings.inputs):
        if entry.rekey:
            try:
                format_ = build_format(entry.format_name, entry.format_options())
            except ValueError as error:
                raise SettingsError(f"[inputs[{index}].format] topic {entry.topic!r}: {error}") from None
            found[entry.topic] = RekeyedInput(format_, entry.by_series_topic, entry.format_name == EVENTS)
    return found


def with_topics_by_series(settings: Settings) -> Settings:
    """The settings in which each topic with `rekey` is an input without windows, and its topic by series has them."""
    if not any(entry.rekey for entry in settings.inputs):
        return settings
    inputs: list[InputSettings] = []
    for entry in settings.inputs:
        if not entry.rekey:
            inputs.append(entry)
            continue
        inputs.append(InputSettings(entry.topic, destination=entry.destination))
        inputs.append(
            msgspec.structs.replace(
                entry, topic=entry.by_series_topic, format=FORMAT, series="", rekey=False, json=None
            )
        )
    by_series_topics = [entry.by_series_topic for entry in settings.inputs if entry.rekey]
    kafka = msgspec.structs.replace(
        settings.kafka, input_topics=(*settings.kafka.input_topics, *by_series_topics)
    )
    chain = list(settings.interceptors.chain)
    chain.insert(chain.index("assemble"), "rekey")
    interceptors = msgspec.structs.replace(settings.interceptors, chain=tuple(chain))
    return msgspec.structs.replace(settings, kafka=kafka, inputs=tuple(inputs), interceptors=interceptors)

"""The CloudEvents that the monitor publishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from consumer.settings.monitor import WORSE_THAN_LAST
from fncast.monitor.accuracy.accuracy import Accuracy
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.anomalies.episode import Episode
from fncast.series.rfc3339 import format_time
from interceptor.cloudevents.output_event import output_id
from interceptor.outcome import Headers, OutputEvent

SOURCE = "fncast/monitor"
ACCURACY, ANOMALY, ALERT = "io.fncast.accuracy.v1", "io.fncast.anomaly.v1", "io.fncast.alert.v1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(time_s: float) -> str:
    """Format seconds since 1970 as RFC 3339, in UTC."""
    return format_time(_EPOCH + timedelta(seconds=time_s))


def accuracy_event(series: str, model: str, accuracy: Accuracy, topic: str) -> OutputEvent:
    """The accuracy of a model version for a series, up to its newest reading."""
    data = accuracy_figures(accuracy)
    return _event(ACCURACY, series, (model, accuracy.newest_s), data, topic, accuracy.newest_s, _model(model))


def accuracy_figures(accuracy: Accuracy) -> dict[str, Any]:
    """The data of an accuracy event."""
    return {
        "readings": accuracy.outcomes,
        **accuracy.total_figures(),
        "seasonal_skill": accuracy.seasonal_skill(),
        "since": time_text(accuracy.since_s),
        "day": {**accuracy.day_figures(), "seasonal_skill": accuracy.seasonal_day_skill()},
        "leads": {str(lead): figures for lead, figures in accuracy.lead_figures().items()},
    }


def anomaly_event(
    series: str, episode: Episode, time_s: float, is_open: bool, topic: str, destination: str
) -> OutputEvent:
    """An episode that opened or closed. time_s: of the reading that did it."""
    state = "open" if is_open else "closed"
    data = {
        "kind": episode.kind,
        "state": state,
        "time": time_text(episode.peak),
        "value": episode.value,
        "expected": episode.expected,
        "low": episode.low,
        "high": episode.high,
        "score": episode.score,
        "start": time_text(episode.start),
        "end": time_text(episode.end),
        "readings": episode.readings,
    }
    extensions = {"destination": destination}
    return _event(ANOMALY, series, (episode.start, state), data, topic, time_s, extensions)


def alert_event(
    series: str,
    model: str,
    rule: AlertRule,
    alert: AlertState,
    probability: float,
    start_s: float,
    topic: str,
) -> OutputEvent:
    """An alert that opened or closed. model: of the forecast. start_s: time of the forecast's first step."""
    state = "open" if alert.is_open else "closed"
    data = {
        "rule": rule.name,
        "state": state,
        "threshold": rule.threshold,
        "direction": "below" if rule.above is None else "above",
        "expected_at": None if alert.expected_s is None else time_text(alert.expected_s),
        "probability": probability,
    }
    extensions = {**_model(model), "destination": rule.destination}
    return _event(ALERT, series, (rule.name, start_s, state), data, topic, start_s, extensions)


def worse_event(
    series: str, model: str, accuracy: Accuracy, state: str, time_s: float, topic: str, destination: str
) -> OutputEvent:
    """A model became worse than the last value, or no longer is. time_s: of the reading that shows it."""
    day = accuracy.day_figures()
    data = {
        "rule": WORSE_THAN_LAST,
        "state": state,
        "threshold": 0.0,
        "direction": "below",
        "expected_at": None,
        "probability": None,
        "model": model,
        "skill": day["skill"],
        "mae": day["mae"],
    }
    extensions = {**_model(model), "destination": destination}
    return _event(ALERT, series, (WORSE_THAN_LAST, model, time_s, state), data, topic, time_s, extensions)


def _model(model: str) -> dict[str, str]:
    """The extensions that name a model. model: name and version, for example `forecast/3`."""
    name, _, version = model.rpartition("/")
    return {"modelname": name, "modelversion": version}


def _event(
    type_: str,
    series: str,
    identity: tuple[object, ...],
    data: dict[str, Any],
    topic: str,
    time_s: float,
    extensions: dict[str, str],
) -> OutputEvent:
    """Create an event for a topic, with its attributes in headers and JSON data.

    identity: values that distinguish the event from others of its type and series. The id follows from them, so a
    replay gives the same id. time_s: seconds since 1970. extensions: further attributes; empty ones are left out.
    """
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", output_id(type_, series, orjson.dumps(identity).decode(), 0).encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", type_.encode()),
        ("ce_subject", series.encode()),
        ("ce_time", time_text(time_s).encode()),
        ("content-type", b"application/json"),
    ]
    headers += [(f"ce_{name}", value.encode()) for name, value in extensions.items() if value]
    return OutputEvent(headers, orjson.dumps(data), topic=topic, key=series.encode())

"""The events about one series of a partition, once something about it has changed."""

from __future__ import annotations

import logging

from fncast.foreign_text import clean
from fncast.monitor.accuracy.comparison import Comparison
from fncast.monitor.accuracy.publication import Publication
from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.anomalies.episode import Episode
from fncast.monitor.messages import ForecastMessage
from fncast.monitor.monitored_series import MonitoredSeries
from fncast.monitor.output import accuracy_event, alert_event, anomaly_event, worse_event
from fncast.monitor.rules import MonitorRules
from interceptor.outcome import OutputEvent

log = logging.getLogger("fncast.monitor")

MAX_SHOWN_CHARACTERS = 100  # of a name in a log line


class SeriesEvents:
    """Creates the events of series by the rules, and notes in the series what was published and which alerts opened."""

    def __init__(self, rules: MonitorRules) -> None:
        self._rules = rules
        self._limited: set[str] = set()  # rules that a log line has named

    def silence_event(self, series: MonitoredSeries, *, is_open: bool) -> OutputEvent:
        """The event that the silence after the newest reading began or ended."""
        joined = series.joined
        last = joined.newest if joined.has_readings else 0
        at_s, value = joined.grid.time_s(last), joined.readings[last]
        episode = Episode("silent", at_s, at_s, at_s, value, value, value, value, 1.0, 0)
        topic = self._rules.alerts_topic
        return anomaly_event(series.name, episode, at_s, is_open, topic, self._rules.destination)

    def judge(self, series: MonitoredSeries) -> list[OutputEvent]:
        """Judge the readings that have their forecasts. Returns the events of anomalies, accuracy and bad models."""
        events = []
        for judged in series.joined.judge(self._rules.detector) if series.joined.waiting.values else ():
            episode = judged.judgement.changed
            if episode is not None and series.is_watched:
                is_open, rules = judged.judgement.is_anomaly, self._rules
                topic, destination = rules.alerts_topic, rules.destination
                events.append(anomaly_event(series.name, episode, judged.time_s, is_open, topic, destination))
        return events + self._publish_accuracy(series) + self._compare(series)

    def _publish_accuracy(self, series: MonitoredSeries) -> list[OutputEvent]:
        """The accuracy events that are due. A change of the accuracy is noticed once its outcomes are settled."""
        events: list[OutputEvent] = []
        joined, every_s, newest_s = series.joined, self._rules.accuracy_every_s, series.joined.newest_s
        # Nothing can be due: no outcome was settled, no model is new, and no time has passed.
        if (
            not joined.has_settled
            and joined.forecasts.keys() <= series.published.keys()
            and all(newest_s < each.time_s + every_s for each in series.published.values())
        ):
            return events
        models = joined.models
        for model in models:
            publication = series.published.get(model)
            settled = joined.sums.get(model)
            if publication is not None:
                is_time = newest_s >= publication.time_s + every_s and joined.waits_for(model)
                if not is_time and not (
                    joined.has_settled and settled and publication.is_due(settled, every_s)
                ):
                    continue
            accuracy = joined.accuracy(model)
            if publication is None:
                if not accuracy.outcomes:
                    continue
                publication = series.published[model] = Publication(accuracy.since_s)
            if publication.is_due(accuracy, every_s):
                publication.publish(accuracy)
                events.append(accuracy_event(series.name, model, accuracy, self._rules.accuracy_topic))
        if len(series.published) > len(models):
            for model in series.published.keys() - set(models):
                del series.published[model]
        return events

    def _compare(self, series: MonitoredSeries) -> list[OutputEvent]:
        """The events of models that became worse than the last value, or no longer are."""
        in_a_row = self._rules.worse_than_last_for
        if not in_a_row or not series.is_watched:
            return []
        events = []
        topic, destination = self._rules.alerts_topic, self._rules.destination
        joined = series.joined
        found = {model: joined.accuracy(model) for model in joined.models}
        newest_s = max((each.newest_s for each in found.values()), default=0.0)
        for model, accuracy in found.items():
            comparison = series.comparisons.setdefault(model, Comparison())
            state = comparison.update(accuracy, in_a_row)
            if not state and accuracy.newest_s < newest_s and not joined.waits_for(model):
                state = comparison.end()
            if state:
                events.append(worse_event(series.name, model, accuracy, state, newest_s, topic, destination))
        for model in series.comparisons.keys() - found.keys():
            del series.comparisons[model]
        return events

    def update_alerts(self, series: MonitoredSeries, message: ForecastMessage) -> list[OutputEvent]:
        """The alerts that the next forecast opens or closes."""
        events: list[OutputEvent] = []
        if not series.rules:
            return events
        rows = message.rows
        start_s = message.start.timestamp()
        step_s = (message.step.after(message.start, 1) - message.start).total_seconds()
        for rule in series.rules:
            self._report_limitation(rule, series.name, len(rows), step_s)
            found = rule.crossing(message.levels, rows, step_s)
            alert = series.alerts.setdefault(rule.name, AlertState())
            if alert.update(rule, found, start_s, step_s):
                topic, likely = self._rules.alerts_topic, found.probability
                events.append(alert_event(series.name, message.model, rule, alert, likely, start_s, topic))
        return events

    def _report_limitation(self, rule: AlertRule, series: str, horizon: int, step_s: float) -> None:
        """Log once that a rule cannot be applied as it says."""
        if rule.name in self._limited or not (limitation := rule.limitation(horizon, step_s)):
            return
        self._limited.add(rule.name)
        text = 'alert rule "%s", series "%s": %s. Correct the rule in [[alerts]]'
        log.warning(
            text, clean(rule.name, MAX_SHOWN_CHARACTERS), clean(series, MAX_SHOWN_CHARACTERS), limitation
        )

"""An anomaly is one episode, from its first unusual reading to its last."""

from __future__ import annotations

from tests.fncast.monitor.noisy_series import detected, noise


def test_a_spike_is_one_episode_with_its_peak_and_its_band() -> None:
    values = noise()
    values[900] += 30
    (episode,) = detected(values).episodes
    assert (episode.kind, episode.start, episode.peak, episode.is_open) == ("outlier", 900, 900, False)
    assert episode.value == values[900]
    assert episode.low < episode.expected < episode.high
    assert episode.score > 0.7


def test_a_level_shift_opens_once_and_becomes_normal() -> None:
    values = noise()
    values[900:] += 30
    (episode,) = detected(values).episodes
    assert episode.start == 900
    assert not episode.is_open
    assert episode.end < 1_050


def test_an_incident_after_a_long_rest_is_a_separate_episode() -> None:
    values = noise()
    values[600:900] = values[600]
    values[900:] += 30
    first, second, *_ = detected(values).episodes
    assert (first.kind, first.is_open) == ("stuck", False)
    assert 890 <= first.end < 900
    assert (second.kind, second.start) == ("outlier", 901)

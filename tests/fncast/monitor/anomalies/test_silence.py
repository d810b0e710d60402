"""When a series counts as silent."""

from __future__ import annotations

from fncast.monitor.anomalies.silence import LONGER, Silence

STEP_MS = 1000
STEPS = 5


def heard(times_ms: range) -> Silence:
    silence = Silence()
    for at_ms in times_ms:
        assert not silence.arrived(at_ms)
    return silence


def test_a_silence_opens_once_and_ends_with_the_next_reading() -> None:
    silence = heard(range(0, 20 * STEP_MS, STEP_MS))
    last_ms = 19 * STEP_MS
    assert not silence.begins(last_ms + STEPS * STEP_MS, STEP_MS, STEPS, 0)
    assert silence.begins(last_ms + STEPS * STEP_MS + 1, STEP_MS, STEPS, 0)
    assert not silence.begins(last_ms + 100 * STEP_MS, STEP_MS, STEPS, 0)
    assert silence.arrived(last_ms + 200 * STEP_MS)
    assert not silence.is_open


def test_a_silence_that_is_usual_for_the_series_does_not_open() -> None:
    pause_ms = 10 * STEP_MS
    silence = heard(range(0, 10 * pause_ms, pause_ms))
    last_ms = 9 * pause_ms
    assert not silence.begins(last_ms + int(LONGER * pause_ms), STEP_MS, STEPS, 0)
    assert silence.begins(last_ms + int(LONGER * pause_ms) + 1, STEP_MS, STEPS, 0)


def test_a_reported_silence_does_not_become_usual() -> None:
    silence = heard(range(0, 10 * STEP_MS, STEP_MS))
    assert silence.begins(10**6, STEP_MS, STEPS, 0)
    assert silence.arrived(2 * 10**6)
    assert silence.longest_ms == STEP_MS


def test_young_series_and_zero_steps_have_no_silence() -> None:
    silence = heard(range(0, 10 * STEP_MS, STEP_MS))
    assert not silence.begins(10**9, STEP_MS, 0, 0)
    assert not silence.begins(10**9, STEP_MS, STEPS, 10)

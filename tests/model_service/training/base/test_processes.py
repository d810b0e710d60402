import numpy as np
import pytest

from model_service.training.base import processes
from model_service.training.base.series import KINDS, UNSEEN, Kind


def test_every_process_is_a_kind_of_series_and_finite() -> None:
    kinds = [kind for kind in KINDS | UNSEEN if kind.__module__ == processes.__name__]
    assert len(kinds) == 14
    for kind in kinds:
        every = np.stack([kind(np.random.default_rng(seed), 300) for seed in range(5)])
        assert np.isfinite(every).all(), kind
        assert (np.ptp(every, axis=1) > 0).all(), kind


@pytest.mark.parametrize("kind", [processes.congestion, processes.leak])
def test_what_fills_falls_back_at_a_limit(kind: Kind) -> None:
    steps = np.diff(kind(np.random.default_rng(1), 800))
    assert (steps > 0).mean() > 0.6
    assert steps.min() < -5 * steps.max() / 2


def test_sessions_are_counts() -> None:
    values = processes.sessions(np.random.default_rng(0), 300)
    assert (values >= 0).all()
    np.testing.assert_array_equal(values, np.round(values))


def test_a_process_with_states_stays_in_few_levels() -> None:
    levels = {
        len(np.unique(np.round(processes.states(np.random.default_rng(seed), 400), 9))) for seed in range(9)
    }
    assert min(levels) <= 3

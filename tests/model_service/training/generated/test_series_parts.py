"""Parts of generated series have about unit size, whatever the random generator draws."""

import numpy as np
import pytest

from model_service.training.generated.series_parts import memory_noise, season_shape, unit_noise


@pytest.mark.parametrize("season", [4, 24, 168])
def test_a_season_has_mean_0_and_deviation_1(season: int) -> None:
    shapes = np.stack([season_shape(np.random.default_rng(seed), season) for seed in range(20)])
    np.testing.assert_allclose(shapes.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(shapes.std(axis=1), 1, atol=1e-6)


def test_unit_noise_has_about_deviation_1() -> None:
    sizes = [unit_noise(np.random.default_rng(seed), 2000).std() for seed in range(20)]
    assert 0.6 < min(sizes) < max(sizes) < 1.7


@pytest.mark.parametrize(("memory", "correlated"), [(0.0, False), (0.9, True), (1.0, True)])
def test_noise_with_memory_is_correlated(memory: float, correlated: bool) -> None:
    for seed in range(5):
        noise = memory_noise(np.random.default_rng(seed), 2000, memory)
        assert (np.corrcoef(noise[1:], noise[:-1])[0, 1] > 0.8) == correlated

import numpy as np

from model_service.training.calibration import band_factors


def test_band_factors_give_the_band_its_coverage() -> None:
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(4000, 2)).astype(np.float32)
    forecast = np.broadcast_to(np.array([-0.5, 0.0, 3.0], dtype=np.float32), (4000, 2, 3))
    below, above = band_factors(forecast, targets, miss=0.1, independent=4000)
    np.testing.assert_allclose(below * 0.5, 1.28, atol=0.08)
    np.testing.assert_allclose(above * 3.0, 1.28, atol=0.08)


def test_few_independent_windows_change_the_band_little_and_widen_it() -> None:
    """Four calm days, shared by hundreds of origins, are not evidence for calm days to come."""
    targets = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    calm = np.broadcast_to(np.array([-3.0, 0.0, 3.0], dtype=np.float32), (400, 2, 3))
    many, _ = band_factors(calm, targets, miss=0.1, independent=400)
    few, _ = band_factors(calm, targets, miss=0.1, independent=4)
    assert (many < 0.5).all()
    assert (few > 0.8).all()
    right = np.broadcast_to(np.array([-1.28, 0.0, 1.28], dtype=np.float32), (400, 2, 3))
    assert (np.stack(band_factors(right, targets, miss=0.1, independent=4)) > 1.1).all()


def test_without_targets_the_band_is_only_widened_by_caution() -> None:
    targets = np.full((5, 2), np.nan, dtype=np.float32)
    forecast = np.zeros((5, 2, 3), dtype=np.float32)
    below, above = band_factors(forecast, targets, miss=0.1, independent=1e6)
    np.testing.assert_allclose([below, above], 1, atol=1e-3)

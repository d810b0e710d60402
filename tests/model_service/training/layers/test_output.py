import numpy as np

from model_service.training.layers.output import SeasonMix, SharedPoints, Swell


def test_many_seasons_in_the_horizon_share_a_mix() -> None:
    window = np.arange(12, dtype=np.float32)[np.newaxis]  # the seasons before: 0…2, 3…5, 6…8, 9…11
    chosen = np.float32([[0, 0, 0, 99], [99, 0, 0, 0]]).reshape(1, -1)
    mixed = SeasonMix(3, 11, mixes=2)([window, chosen])
    assert np.asarray(mixed)[0].round().tolist() == [9, 10, 11] * 2 + [0, 1, 2] + [0, 1]
    assert np.asarray(SeasonMix(3, 5, mixes=2)([window, chosen]))[0].round().tolist() == [9, 10, 11, 0, 1]


def test_swell_scales_the_deviations_from_the_mean() -> None:
    forecast, share = np.float32([[1, 3, 5], [1, 3, 5]]), np.float32([[0.5], [-1]])
    assert np.asarray(Swell()([forecast, share])).tolist() == [[0, 3, 6], [3, 3, 3]]


def test_neighbouring_steps_share_a_point() -> None:
    points = np.float32([[1, 2, 10, 20]])
    assert np.asarray(SharedPoints(5, 2)(points))[0].tolist() == [1, 1, 1, 2, 2, 10, 10, 10, 20, 20]

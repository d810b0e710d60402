import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.layers.line import SLOPES
from model_service.training.base.layers.network import BaseView, CandidateSum, rows_of
from model_service.training.base.layers.scale import MEDIANS

HORIZON = 3


def test_the_view_cuts_the_window_into_segments_of_values_in_two_scales_and_the_mask() -> None:
    scaled = np.linspace(-1, 1, 8, dtype=np.float32)[np.newaxis]
    mask = np.array([[1, 1, 0, 1, 1, 1, 1, 0]], np.float32)
    segments = BaseView(4)((scaled, mask, np.ones((1, 1), np.float32)))
    assert [np.shape(segment) for segment in segments] == [(1, 6)] * 4
    np.testing.assert_array_equal(np.concatenate([segment[:, 4:] for segment in segments], axis=1), mask)
    values, fine = np.split(np.concatenate([segment[:, :4] for segment in segments]), 2, axis=1)
    np.testing.assert_array_equal(values, fine)  # with a spread of 1, both scales are equal


def test_the_gates_choose_the_candidate() -> None:
    count = 1 + len(MEDIANS) + len(SLOPES)
    gates = np.zeros((1, count, HORIZON), np.float32)
    gates[:, 0] = 1  # the seasonal forecast
    seasonal = np.array([[1, 2, 3]], np.float32)
    median = CandidateSum()(
        (
            seasonal,
            np.zeros((1, 3), np.float32),
            np.ones((1, len(MEDIANS)), np.float32),
            np.ones((1, len(SLOPES)), np.float32),
            np.ones((1, len(SLOPES)), np.float32),
            gates,
            np.zeros((1, 3, HORIZON), np.float32),
            np.full((1, 1), 2, np.float32),
            np.full((1, 1, HORIZON), 0.5, np.float32),
        )
    )
    np.testing.assert_allclose(median, seasonal + 1)  # the correction is in units of the misfit


def test_rows_are_those_of_the_second_axis() -> None:
    values = np.arange(12, dtype=np.float32).reshape(2, 2, HORIZON)
    first, second = rows_of(values, HORIZON)
    np.testing.assert_array_equal(first, values[:, 0])
    np.testing.assert_array_equal(second, values[:, 1])

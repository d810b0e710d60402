"""A forecaster with a fake model client."""

import pytest

from handler import Forecaster
from model import ForecastModel
from tests.functions.fake_model import FakeClient


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def forecaster(client: FakeClient) -> Forecaster:
    return Forecaster(ForecastModel(client))

"""Addresses of models: what the path of a URL names."""

from __future__ import annotations

import pytest

from model_service.client import (
    connect_inference_protocol,
)


@pytest.mark.parametrize("path", ["/words/1", "/v2/models/words/versions/1", "/v2/models/words"])
def test_the_path_may_be_that_of_the_protocol(url: str, path: str) -> None:
    client = connect_inference_protocol(url + path)
    assert client.metadata().inputs[0].name == "numbers"
    client.close()

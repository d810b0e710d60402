"""Addresses of models: what the path of a URL names."""

from __future__ import annotations

import pytest

from model_service.client import connect_inference_protocol
from model_service.client.model_address import ModelAddress


@pytest.mark.parametrize("path", ["/words/1", "/v2/models/words/versions/1", "/v2/models/words"])
def test_the_path_may_be_that_of_the_protocol(url: str, path: str) -> None:
    client = connect_inference_protocol(url + path)
    assert client.metadata().inputs[0].name == "numbers"
    client.close()


@pytest.mark.parametrize(
    ("path", "name", "version"),
    [
        ("", "forecast", ""),
        ("/", "forecast", ""),
        ("/weather", "weather", ""),
        ("/weather/", "weather", ""),
        ("/weather/3", "weather", "3"),
        ("/v2/models/weather", "weather", ""),
        ("/v2/models/weather/versions/3", "weather", "3"),
    ],
)
def test_a_path_names_a_model_and_a_version(path: str, name: str, version: str) -> None:
    assert ModelAddress.of("http://h:1" + path, path) == ModelAddress(name, version)


@pytest.mark.parametrize("path", ["//", "/a/b/c", "/v2/models/a/ready/x", "/v2/models", "/v2/models/"])
def test_another_path_is_rejected_with_what_is_expected(path: str) -> None:
    with pytest.raises(
        ValueError, match="does not name a model; expected /NAME, /NAME/VERSION or /v2/models"
    ):
        ModelAddress.of("http://h:1" + path, path)

"""The body of a REST response: JSON, and raw bytes after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import requests
from tritonclient.http import InferenceServerClient

from tests.model_service.protocols.open_inference.rest_calls import PLAIN, windows


def test_values_that_are_not_finite_are_null_in_json_and_kept_as_bytes(url: str, shelf: Any) -> None:
    shelf.paths["/"].runtime.offset = np.float32("nan")
    answer = requests.post(f"{url}/v2/models/forecast/infer", json=PLAIN, timeout=10).json()
    assert answer["outputs"][0]["data"] == [None] * 12
    client = InferenceServerClient(url.removeprefix("http://"))
    assert np.isnan(client.infer("forecast", windows()).as_numpy("forecast")).all()
    client.close()

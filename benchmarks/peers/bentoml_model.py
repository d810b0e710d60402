"""The model in BentoML, batched adaptively. POST /predict {"windows": [window, …]} answers the forecasts.

The environment variable MODEL names the .tflite file.
"""

import os

import bentoml
import numpy as np
from ai_edge_litert.interpreter import Interpreter


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Forecast:
    def __init__(self) -> None:
        self._signature = Interpreter(model_path=os.environ["MODEL"], num_threads=1).get_signature_runner()

    @bentoml.api(batchable=True, max_batch_size=1024, max_latency_ms=1000)
    def predict(self, windows: np.ndarray) -> np.ndarray:
        forecast: np.ndarray = self._signature(windows=windows.astype(np.float32, copy=False))["forecast"]
        return forecast

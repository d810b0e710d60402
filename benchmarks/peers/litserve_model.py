"""The model in LitServe, batched. POST /predict {"windows": [window, …]} answers {"forecast": …}.

`python litserve_model.py MODEL.tflite PORT`
"""

import sys
from typing import Any

import litserve
import numpy as np
import orjson
from ai_edge_litert.interpreter import Interpreter
from fastapi import Response

BATCH, BATCH_TIMEOUT_S = 64, 0.001


class Forecast(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self._signature = Interpreter(model_path=sys.argv[1], num_threads=1).get_signature_runner()

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        return np.array(request["windows"], np.float32)

    def batch(self, inputs: list[np.ndarray]) -> tuple[np.ndarray, list[int]]:
        return np.concatenate(inputs), [len(windows) for windows in inputs]

    def predict(self, batch: tuple[np.ndarray, list[int]]) -> list[np.ndarray]:
        windows, lengths = batch
        return np.split(self._signature(windows=windows)["forecast"], np.cumsum(lengths)[:-1])

    def unbatch(self, output: list[np.ndarray]) -> list[np.ndarray]:
        return output

    def encode_response(self, output: np.ndarray) -> Response:
        body = orjson.dumps({"forecast": output}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(body, media_type="application/json")


if __name__ == "__main__":
    api = Forecast(max_batch_size=BATCH, batch_timeout=BATCH_TIMEOUT_S)
    litserve.LitServer(api, accelerator="cpu", devices=1).run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning"
    )

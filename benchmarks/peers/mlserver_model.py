"""The model in MLServer, as a custom runtime. `model-settings.json` sets the limits of its batches.

The environment variable MODEL names the .tflite file.
"""

import os

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Forecast(MLModel):
    async def load(self) -> bool:
        self._signature = Interpreter(model_path=os.environ["MODEL"], num_threads=1).get_signature_runner()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        windows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        forecast = self._signature(windows=windows)["forecast"]
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("forecast", forecast)]
        )

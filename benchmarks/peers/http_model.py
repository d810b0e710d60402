"""POST /predict {"instances": [window, …]} answers {"predictions": [[[q10, q50, q90], …], …]}, without batching.

`python http_model.py MODEL.tflite PORT`
"""

import sys

import numpy as np
import orjson
import uvicorn
from ai_edge_litert.interpreter import Interpreter
from fastapi import FastAPI, Request, Response

signature = Interpreter(model_path=sys.argv[1], num_threads=1).get_signature_runner()
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    instances = orjson.loads(await request.body())["instances"]
    forecast = signature(windows=np.array(instances, dtype=np.float32))["forecast"]
    body = orjson.dumps({"predictions": forecast}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")


@app.get("/healthz")
async def healthz() -> Response:
    return Response("ok")


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )

"""One window a request: POST /predict {"instances": [window]} answers {"predictions": [[[q10, q50, q90], …]]}."""

from __future__ import annotations

import sys

import numpy as np
import orjson
from ai_edge_litert.interpreter import Interpreter
from aiohttp import web


def app(model_path: str) -> web.Application:
    signature = Interpreter(model_path=model_path, num_threads=1).get_signature_runner()

    async def predict(request: web.Request) -> web.Response:
        instances = orjson.loads(await request.read())["instances"]
        forecast = signature(windows=np.array(instances, dtype=np.float32))["forecast"]
        body = orjson.dumps({"predictions": forecast}, option=orjson.OPT_SERIALIZE_NUMPY)
        return web.Response(body=body, content_type="application/json")

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    made = web.Application()
    made.add_routes([web.post("/predict", predict), web.get("/healthz", healthz)])
    return made


if __name__ == "__main__":
    web.run_app(app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)

"""Builds the client of the model service from the function's configuration."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fncast.series.window import Float32Array
from model_service.client import (
    InferenceResult,
    ModelClient,
    ModelUnavailable,
    connect_graphpipe,
    connect_inference_protocol,
)
from model_service.protocols.graphpipe import MetadataResponse

log = logging.getLogger("fncast.forecast")

# Of one call. Two calls, if the model is replaced in between, must fit into the timeout in func.yaml.
MODEL_TIMEOUT_S = 6.0
# A person has to change the configuration first.
RETRY_UNCONFIGURED_S = 30.0


class NoClient:
    """A client for a configuration that is missing or wrong. Each call raises ModelUnavailable with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def infer(self, windows: Float32Array) -> InferenceResult:
        raise ModelUnavailable(self._reason, RETRY_UNCONFIGURED_S)

    def metadata(self) -> MetadataResponse:
        raise ModelUnavailable(self._reason, RETRY_UNCONFIGURED_S)

    def close(self) -> None:
        pass


def connect(config: Mapping[str, str]) -> ModelClient:
    """The client for GP_SERVER_URL (GraphPipe) or KSERVE_URL (Open Inference Protocol).

    It sends the token in GP_SERVER_TOKEN or KSERVE_TOKEN. Returns a NoClient if the configuration is missing or wrong.
    """
    graphpipe, kserve = config.get("GP_SERVER_URL", ""), config.get("KSERVE_URL", "")
    if graphpipe and kserve:
        return NoClient("GP_SERVER_URL and KSERVE_URL are both set: set only the one for the protocol to use")
    try:
        if graphpipe:
            return connect_graphpipe(graphpipe, MODEL_TIMEOUT_S, config.get("GP_SERVER_TOKEN", ""))
        if kserve:
            return connect_inference_protocol(kserve, MODEL_TIMEOUT_S, config.get("KSERVE_TOKEN", ""))
    except ValueError as error:
        return NoClient(f"{'GP_SERVER_URL' if graphpipe else 'KSERVE_URL'}: {error}")
    return NoClient(
        "neither GP_SERVER_URL nor KSERVE_URL is set: configure one, such as "
        "GP_SERVER_URL=http://model-service:9000"
    )


def horizon_of(config: Mapping[str, str]) -> int | None:
    """HORIZON: the most steps of a forecast. None if it is not set, or not a positive number, which is logged."""
    text = config.get("HORIZON", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return int(text)
    log.error(
        "HORIZON is %r: it must be a number of steps above 0; the model's own horizon is used", text[:40]
    )
    return None

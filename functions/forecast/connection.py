"""The way to the model, as the function's configuration says it."""

from __future__ import annotations

from collections.abc import Mapping

from fncast.series.window import Float32Array
from model_service.client import (
    Answer,
    ModelClient,
    ModelUnavailable,
    connect_graphpipe,
    connect_inference_protocol,
)
from model_service.protocols.graphpipe import MetadataResponse

# Both tries of a swapped model together stay under the timeout in func.yaml.
MODEL_TIMEOUT_S = 6.0
# Until someone sets the address and deploys the function again.
RETRY_UNCONFIGURED_S = 30.0


class NoClient:
    """Stands for a model service whose address is missing or wrong; says so at each call."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def infer(self, windows: Float32Array) -> Answer:
        raise ModelUnavailable(self._reason, RETRY_UNCONFIGURED_S)

    def metadata(self) -> MetadataResponse:
        raise ModelUnavailable(self._reason, RETRY_UNCONFIGURED_S)

    def close(self) -> None:
        pass


def connect(config: Mapping[str, str]) -> ModelClient:
    """The client that GP_SERVER_URL (GraphPipe) or KSERVE_URL (the Open Inference Protocol) asks for, with the token of
    GP_SERVER_TOKEN or KSERVE_TOKEN. Where they are missing or wrong, one that says so in each answer."""
    graphpipe, kserve = config.get("GP_SERVER_URL", ""), config.get("KSERVE_URL", "")
    if graphpipe and kserve:
        return NoClient("GP_SERVER_URL and KSERVE_URL are both set; one of them says which protocol to speak")
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

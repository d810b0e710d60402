"""Creates a client from an address or a list of addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model_service.client.balanced_client import AddressedClient, BalancedClient
from model_service.client.graphpipe_client import GraphPipeClient
from model_service.client.http_connection import address
from model_service.client.interface import ModelClient
from model_service.client.rest_client import RestClient

TIMEOUT_S = 10.0
# Each address is a connection in every function process.
MAX_ADDRESSES = 64

Open = Callable[[str, float, str], AddressedClient]


def connect_graphpipe(urls: str, timeout_s: float = TIMEOUT_S, token: str = "") -> ModelClient:
    """A client of GraphPipe servers.

    urls: one address or several, separated by commas; each of several gets half of the timeout. timeout_s: limits
    sending a request, and again receiving the response. token: bearer token, or empty. Raises ValueError for an invalid
    address or token.
    """
    return _connect(urls, timeout_s, token, GraphPipeClient)


def connect_inference_protocol(urls: str, timeout_s: float = TIMEOUT_S, token: str = "") -> ModelClient:
    """A client of servers of the Open Inference Protocol.

    urls: as in `connect_graphpipe`; http or https for REST, grpc or grpcs for gRPC. timeout_s: as in
    `connect_graphpipe`, but gRPC sends and receives within it. token: bearer token, or empty. Raises ValueError for an
    invalid address or token.
    """
    return _connect(urls, timeout_s, token, _open_inference_protocol)


def _open_inference_protocol(url: str, timeout_s: float, token: str) -> AddressedClient:
    """A REST or gRPC client, by the scheme of the address. Raises ValueError."""
    scheme = address(url, ("http", "https", "grpc", "grpcs")).scheme
    if scheme in ("http", "https"):
        return RestClient(url, timeout_s, token)
    try:
        from model_service.client.grpc_client import GrpcClient
    except ImportError as error:
        raise ValueError(
            f"{url!r} needs the module {error.name!r}: install it with pip install '.[grpc]' in fncast's repository"
        ) from None
    return GrpcClient(url, timeout_s, token)


def _connect(urls: str, timeout_s: float, token: str, open_one: Open) -> ModelClient:
    found = _split(urls)
    # If one of several services hangs, there must be time left to try another.
    call_timeout_s = timeout_s if len(found) == 1 else timeout_s / 2
    clients = [open_one(url, call_timeout_s, token) for url in found]
    return clients[0] if len(clients) == 1 else BalancedClient(clients, timeout_s)


def _split(urls: str) -> Sequence[str]:
    """The addresses. Raises ValueError."""
    found = [url.strip() for url in urls.split(",")]
    if "" in found:
        raise ValueError(f"an address is missing in {urls!r}; several are separated by commas")
    if len(found) > MAX_ADDRESSES:
        raise ValueError(f"{len(found)} addresses of model services; at most {MAX_ADDRESSES} are accepted")
    for url in found:
        if found.count(url) > 1:
            raise ValueError(f"{url!r} is listed twice")
    return found

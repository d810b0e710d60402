"""From settings to a client: which protocol, and which addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model_service.client.answer import ModelClient
from model_service.client.balanced_client import AddressedClient, BalancedClient
from model_service.client.graphpipe_client import GraphPipeClient

TIMEOUT_S = 10.0
# One function process would hardly get round more, and each is a connection.
MAX_ADDRESSES = 64

Open = Callable[[str, float, str], AddressedClient]


def connect_graphpipe(urls: str, timeout_s: float = TIMEOUT_S, token: str = "") -> ModelClient:
    """A client of GraphPipe servers. urls: one address or several, separated by commas. Raises ValueError."""
    return _connect(urls, timeout_s, token, GraphPipeClient)


def _connect(urls: str, timeout_s: float, token: str, open_one: Open) -> ModelClient:
    clients = [open_one(url, timeout_s, token) for url in _split(urls)]
    return clients[0] if len(clients) == 1 else BalancedClient(clients, timeout_s)


def _split(urls: str) -> Sequence[str]:
    """The addresses. Raises ValueError."""
    found = [url.strip() for url in urls.split(",")]
    if "" in found:
        raise ValueError(f"an address is missing in {urls!r}; several are separated by commas")
    if len(found) > MAX_ADDRESSES:
        raise ValueError(f"{len(found)} addresses of model services; at most {MAX_ADDRESSES} are taken")
    for url in found:
        if found.count(url) > 1:
            raise ValueError(f"{url!r} is named twice")
    return found

"""The chain of interceptors of a test."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from consumer.settings import Settings
from interceptor.contract import Interceptor

FIRST = "committed offsets"  # the name of the interceptor that the kit adds

Entry = str | type[Interceptor] | Interceptor


def with_chain(
    settings: Settings, chain: Sequence[Entry], first: Interceptor
) -> tuple[Settings, dict[str, Interceptor]]:
    """The settings with a name for each interceptor of the chain, and the classes and objects of the chain by name.

    chain: names as in fncast.toml, classes or objects; empty for the chain of the settings. first: an interceptor to
    put before the others.
    """
    names, interceptors = [FIRST], {FIRST: first}
    for number, entry in enumerate(chain or settings.interceptors.chain):
        if isinstance(entry, str):
            names.append(entry)
            continue
        interceptor = entry() if isinstance(entry, type) else entry
        names.append(f"{type(interceptor).__module__}:{type(interceptor).__qualname__}#{number}")
        interceptors[names[-1]] = interceptor
    changed = msgspec.structs.replace(settings.interceptors, chain=tuple(names))
    return msgspec.structs.replace(settings, interceptors=changed), interceptors

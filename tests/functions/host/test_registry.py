from pathlib import Path

import pytest

from functions.host.folder import FunctionFolder, InvalidFunction
from functions.host.pool import Pool
from functions.host.registry import Registry


def pool(name: str, sources: dict[str, str] | None = None) -> Pool:
    return Pool(FunctionFolder(Path(f"/functions/{name}"), name, sources=sources or {}), {}, 1)


def test_two_folders_cannot_share_a_name_or_a_source() -> None:
    with pytest.raises(InvalidFunction, match="a function named f already exists"):
        Registry("fncast", [pool("f"), pool("f")])
    with pytest.raises(InvalidFunction, match="/x already exists"):
        Registry("fncast", [pool("f", {"a": "/x"}), pool("g", {"b": "x/"})])

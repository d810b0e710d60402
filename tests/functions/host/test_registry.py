"""The entries of the API that follow from the folders."""

import pytest

from functions.host.folder import InvalidFunction
from functions.host.registry import Registry
from tests.functions.host.api_calls import pool


def test_two_folders_cannot_share_a_name_or_a_source() -> None:
    with pytest.raises(InvalidFunction, match="a function named f already exists"):
        Registry("fncast", [pool("f"), pool("f")])
    with pytest.raises(InvalidFunction, match="/x already exists"):
        Registry("fncast", [pool("f", {"a": "/x"}), pool("g", {"b": "x/"})])

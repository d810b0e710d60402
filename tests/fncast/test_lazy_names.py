from __future__ import annotations

import subprocess
import sys

import pytest

import fncast


def test_public_names_are_imported_on_first_use() -> None:
    program = (
        "import sys, fncast\n"
        "print('interceptor' in sys.modules)\n"
        "fncast.Batch\n"
        "print('interceptor' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.split() == ["False", "True"]


def test_public_names_are_listed() -> None:
    assert set(fncast.__all__) <= set(dir(fncast))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'fncast' has no attribute 'Nothing'"):
        _ = fncast.Nothing  # type: ignore[attr-defined]

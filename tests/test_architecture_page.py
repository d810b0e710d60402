"""docs/architecture.md names files and folders: each of them exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("benchmarks", "consumer", "fncast", "functions", "interceptor", "model_service", "tests")
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PATHS = sorted(set(re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w/.]*)`", PAGE)))


def test_the_page_names_paths():
    assert len(PATHS) > 20


@pytest.mark.parametrize("path", PATHS)
def test_each_path_exists(path):
    assert (ROOT / path).exists()

"""The version is set in setup.cfg; files that repeat it must not differ."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_images_of_compose_have_the_version_of_the_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    tags = re.findall(r"fncast/[a-z-]+:(\S+)", (ROOT / "docker-compose.yml").read_text("utf-8"))
    assert len(tags) > 5
    assert set(tags) == {setup["metadata"]["version"]}

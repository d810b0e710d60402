from __future__ import annotations

import pytest

from consumer.settings import load
from fncast.cli.records.page_decoders import page_decoders
from fncast.failure import Failure


def test_a_wrong_format_ends_the_command(tmp_path):
    file = tmp_path / "fncast.toml"
    file.write_text('[[inputs]]\ntopic = "metrics"\nformat = "no.such:Format"\n')
    with pytest.raises(Failure, match="cannot be loaded"):
        page_decoders(load(file, environ={}))

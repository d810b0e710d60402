"""Names of series from a template."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.telegraf import TelegrafJson

METRIC = {"name": "cpu", "tags": {"host": "web-1"}, "fields": {"v": 1}, "timestamp": 1_700_000_123}


def test_the_name_follows_the_template(readings):
    found, _ = readings(TelegrafJson("{host}/{name}_{field}"), json.dumps(METRIC))
    assert list(found) == ["web-1/cpu_v"]


@pytest.mark.parametrize(
    ("template", "message"),
    [("everything", "the same name"), ("{name", "write a placeholder"), ("{} x", "write a placeholder")],
)
def test_an_invalid_template_is_rejected(template, message):
    with pytest.raises(ValueError, match=message):
        TelegrafJson(template)

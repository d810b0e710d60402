"""Names of series from a template."""

from __future__ import annotations

import json

import pytest

from interceptor.readings.contract import MAX_NAME_CHARACTERS
from interceptor.readings.naming import NameTemplate, is_unicode, labels_text
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


PARTS = ("name", "tags")


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{name}.{host}", "cpu.web-1"),
        ("{host} {absent}", "web-1"),
        ("{absent}", None),
        ("{name}{name}", "cpucpu"),
        ("{zone}", "a part wins over a label"),
    ],
)
def test_a_placeholder_is_a_part_or_a_label_or_empty(template: str, name: str | None) -> None:
    parts = {"name": "cpu", "zone": "a part wins over a label"}
    assert NameTemplate(template, PARTS).name(parts, {"host": "web-1", "zone": "north"}) == name


def test_a_name_that_is_too_long_is_none() -> None:
    template = NameTemplate("{name}", PARTS)
    assert template.name({"name": "x" * MAX_NAME_CHARACTERS}, {}) is not None
    assert template.name({"name": "x" * (MAX_NAME_CHARACTERS + 1)}, {}) is None


def test_labels_as_a_text_are_sorted_by_name() -> None:
    assert labels_text({"host": "web-1", "cpu": "cpu0"}) == "cpu=cpu0 host=web-1"
    assert labels_text({}) == ""


def test_a_lone_surrogate_is_not_unicode() -> None:
    assert is_unicode("café \N{SNOWMAN}")
    assert not is_unicode("a\ud800")

"""The settings of [fn] and [routes]."""

import pytest

from consumer.settings import SettingsError, load


def test_a_variable_adds_a_route_and_a_file_replaces_them(write):
    assert set(load(write(""), {"FNCAST_ROUTES__OTHER": "fn:app/other"}).routes) == {"forecast", "other"}
    assert set(load(write('[routes]\nmine = "fn:app/mine"\n'), {}).routes) == {"mine"}


def test_a_url_that_is_rejected_does_not_show_its_password(write):
    with pytest.raises(SettingsError) as raised:
        load(write('[routes]\na = {url = "ftp://u:hunter2@x/?code=hunter2"}\n'), {})
    assert "ftp://x/" in str(raised.value)
    assert "hunter2" not in str(raised.value)

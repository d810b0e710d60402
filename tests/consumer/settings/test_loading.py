"""Three sources of settings; a later one wins."""

import pytest

from consumer.settings import SettingsError, load


def test_file_then_environment_then_flags(write):
    file = write('[kafka]\ngroup_id = "file"\nbootstrap_servers = "file:1"\noutput_topic = "from-file"\n')
    environ = {"FNCAST_KAFKA__GROUP_ID": "variable", "FNCAST_KAFKA__BOOTSTRAP_SERVERS": "variable:1"}
    kafka = load(file, environ, {"kafka": {"bootstrap_servers": "flag:1"}}).kafka
    assert (kafka.output_topic, kafka.group_id, kafka.bootstrap_servers) == (
        "from-file",
        "variable",
        "flag:1",
    )


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(tmp_path / "none.toml", {})

"""The settings of commands that read fncast.toml."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from fncast.cli.arguments.settings import add_kafka_arguments, kafka_settings, settings
from fncast.failure import Failure


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with no settings from the environment."""
    for name in [name for name in os.environ if name.startswith("FNCAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_kafka_arguments(parser)
    return parser.parse_args(words)


def test_the_file_of_the_current_folder_counts_unless_another_is_named(folder: Path) -> None:
    (folder / "fncast.toml").write_text('[kafka]\noutput_topic = "here"\n')
    (folder / "other.toml").write_text('[kafka]\noutput_topic = "there"\n')
    assert kafka_settings(parsed()).output_topic == "here"
    assert kafka_settings(parsed("--config", "other.toml")).output_topic == "there"


def test_a_flag_overrides_the_environment_and_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "fncast.toml").write_text('[kafka]\nbootstrap_servers = "file:1"\noutput_topic = "here"\n')
    monkeypatch.setenv("FNCAST_KAFKA__BOOTSTRAP_SERVERS", "environment:1")
    assert kafka_settings(parsed()).bootstrap_servers == "environment:1"
    kafka = kafka_settings(parsed("--bootstrap-servers", "flag:1"))
    assert (kafka.bootstrap_servers, kafka.output_topic) == ("flag:1", "here")


def test_a_wrong_setting_is_a_failure_that_names_the_file(folder: Path) -> None:
    (folder / "fncast.toml").write_text('[kafka]\ntopic = "x"\n')
    with pytest.raises(Failure, match=r"fncast\.toml.*topic"):
        settings(parsed())


@pytest.mark.parametrize(
    ("value", "reason"),
    [("", "bootstrap_servers is empty"), ("user:secret@kafka:9092", "bootstrap_servers has a login")],
)
def test_a_wrong_flag_is_named_even_if_the_file_and_the_environment_set_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    (folder / "fncast.toml").write_text('[kafka]\nbootstrap_servers = "file:1"\n')
    monkeypatch.setenv("FNCAST_KAFKA__BOOTSTRAP_SERVERS", "environment:1")
    with pytest.raises(Failure, match=f"^--bootstrap-servers: {reason}"):
        settings(parsed("--bootstrap-servers", value))


def test_a_named_file_must_exist() -> None:
    with pytest.raises(Failure, match=r"none\.toml"):
        settings(parsed("--config", "none.toml"))

"""Settings: three sources, one frozen object; a mistake is told by its place."""

from pathlib import Path

import pytest

from consumer.settings import SettingsError, load


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        file = tmp_path / "fncast.toml"
        file.write_text(text, "utf-8")
        return file

    return write


def test_defaults_are_the_documented_block(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load(environ={})
    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert settings.kafka.input_topics == ("metrics",)
    assert (settings.kafka.output_topic, settings.kafka.dead_letter_topic) == ("forecasts", "dead-letters")
    assert settings.kafka.outage_topic == "outages"
    assert settings.kafka.delivery == "exactly-once"
    assert settings.routes == {"forecast": "fn:fncast/forecast"}
    assert settings.admin.port == 9464


def test_file_then_environment_then_flags(write):
    file = write('[kafka]\ngroup_id = "file"\nbootstrap_servers = "file:1"\noutput_topic = "from-file"\n')
    environ = {"FNCAST_KAFKA__GROUP_ID": "variable", "FNCAST_KAFKA__BOOTSTRAP_SERVERS": "variable:1"}
    kafka = load(file, environ, {"kafka": {"bootstrap_servers": "flag:1"}}).kafka
    assert (kafka.output_topic, kafka.group_id, kafka.bootstrap_servers) == (
        "from-file",
        "variable",
        "flag:1",
    )


def test_client_properties_dotted_in_the_file_and_underlined_in_the_environment(write, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    file = write('[kafka.client]\nsecurity.protocol = "SASL_SSL"\n"sasl.mechanism" = "PLAIN"\n')
    environ = {
        "FNCAST_KAFKA__CLIENT__SASL_USERNAME": "me",
        "FNCAST_KAFKA__CLIENT__SASL_PASSWORD_FILE": str(secret),
    }
    assert load(file, environ).kafka.client_properties() == {
        "bootstrap.servers": "localhost:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
        "sasl.password": "s3cret",
    }


def test_a_variable_adds_a_route_and_a_file_replaces_them(write):
    assert set(load(write(""), {"FNCAST_ROUTES__OTHER": "fn:app/other"}).routes) == {"forecast", "other"}
    assert set(load(write('[routes]\nmine = "fn:app/mine"\n'), {}).routes) == {"mine"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[kafka]\n\ngroup_ids = "x"', "line 3: [kafka.group_ids] no such setting"),
        ("[kafka]\ngroup_id = 3", "line 2: [kafka.group_id] Expected `str`"),
        ('[kafka]\ndelivery = "most"', "line 2: [kafka.delivery] Invalid enum value 'most'"),
        ('[kafka]\nacks = "x"\n', "line 2: [kafka.acks] no such setting"),
        (
            "[kafka.client]\nacks = 1",
            "line 2: [kafka.client.acks] client.acks carries the delivery guarantee",
        ),
        ("[fn]\ntimeout_s = -1", "line 2: [fn.timeout_s] timeout_s must be positive"),
        ('[fn]\nurl = "localhost"', "line 2: [fn.url] url 'localhost' does not begin with http"),
        ("[kafkas]\na = 1", "line 1: [kafkas] no such setting"),
        ("[kafka\n", "not valid TOML"),
        ('[kafka]\noutput_topic = "metrics"', "fncast would feed itself"),
    ],
)
def test_a_wrong_setting_is_told_by_file_and_line(write, text, told):
    file = write(text)
    with pytest.raises(SettingsError) as error:
        load(file, {})
    assert str(file) in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("FNCAST_FN__TIMEOUT_S", "soon", "FNCAST_FN__TIMEOUT_S: 'soon' is no float"),
        ("FNCAST_FN__TIMEOUTS", "3", "FNCAST_FN__TIMEOUTS: no such setting"),
        ("FNCAST_KAFKAS__X", "3", "FNCAST_KAFKAS__X: no such setting"),
        ("FNCAST_KAFKA__GROUP_ID_FILE", "/nowhere/secret", "cannot read '/nowhere/secret'"),
        ("FNCAST_ADMIN__PORT", "http", "'http' is no int"),
    ],
)
def test_a_wrong_variable_is_told_by_name(write, variable, value, told):
    with pytest.raises(SettingsError, match=r"environment variable FNCAST_") as error:
        load(write(""), {variable: value})
    assert told in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(tmp_path / "none.toml", {})


def test_no_password_is_shown_with_the_settings():
    settings = load(None, {"FNCAST_KAFKA__CLIENT__SASL_PASSWORD": "s3cret"})
    assert settings.kafka.client_properties()["sasl.password"] == "s3cret"
    assert "s3cret" not in repr(settings)
    assert "sasl.password" in repr(settings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[kafka]\noutage_topic = "dead-letters"\n', "different topics"),
        ('[kafka]\noutput_topic = "dead-letters"\n', "different topics"),
        ("[fn]\ntimeout_s = nan\n", "timeout_s must be positive"),
        ('[fn]\nurl = "http://"\n', "names no host"),
        ('[routes]\na = {url = "http://x:y@[::bad"}\n', "cannot be read"),
    ],
)
def test_settings_that_could_not_work_are_refused(write, text, told):
    with pytest.raises(SettingsError, match=told):
        load(write(text), {})


def test_a_url_that_is_refused_does_not_show_its_password(write):
    with pytest.raises(SettingsError) as raised:
        load(write('[routes]\na = {url = "ftp://u:hunter2@x/?code=hunter2"}\n'), {})
    assert "ftp://x/" in str(raised.value)
    assert "hunter2" not in str(raised.value)

"""Settings: three sources, one frozen object; a mistake is reported with its place."""

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


@pytest.mark.parametrize("name", ["private_key_file", "file", "jwt_template_file"])
def test_a_property_that_is_itself_a_files_name_is_not_read(write, name):
    variable = f"FNCAST_KAFKA__CLIENT__SASL_OAUTHBEARER_ASSERTION_{name.upper()}"
    properties = load(write(""), {variable: "/run/key"}).kafka.client_properties()
    assert properties[f"sasl.oauthbearer.assertion.{name.replace('_', '.')}"] == "/run/key"


def test_a_variable_adds_a_route_and_a_file_replaces_them(write):
    assert set(load(write(""), {"FNCAST_ROUTES__OTHER": "fn:app/other"}).routes) == {"forecast", "other"}
    assert set(load(write('[routes]\nmine = "fn:app/mine"\n'), {}).routes) == {"mine"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[kafka]\n\ngroup_ids = "x"', "line 3: [kafka.group_ids] no such setting"),
        ("[kafka]\ngroup_id = 3", "line 2: [kafka.group_id] must be a string, not an integer"),
        (
            '[kafka]\ndelivery = "most"',
            "line 2: [kafka.delivery] Invalid enum value 'most'; use 'exactly-once' or 'at-least-once'",
        ),
        (
            '[kafka]\ninput_topics = ["a", "a"]',
            "line 2: [kafka.input_topics] input_topics names a topic twice",
        ),
        ("kafka = 3", "[kafka] must be a table of settings, not a value"),
        ('[routes]\na = "fn:a/b"\nb = 5', "line 3: [routes.b] must be a string or a table, not an integer"),
        ("[routes]\nb = {}", "line 2: [routes.b] Object missing required field `url`"),
        ('[routes]\nb = { url = "http://x", bach = 1 }', "line 2: [routes.b.bach] no such setting"),
        (
            '[routes.b]\nurl = "http://x"\nbatch = "y"',
            "line 3: [routes.b.batch] must be true or false, not a string",
        ),
        ('[kafka]\nacks = "x"\n', "line 2: [kafka.acks] no such setting"),
        (
            "[kafka.client]\nacks = 1",
            "line 2: [kafka.client.acks] client.acks cannot be set",
        ),
        (
            '[kafka.client]\n"default.topic.config" = "x"',
            "line 2: [kafka.client.default.topic.config] client.default.topic.config cannot be set",
        ),
        ("[fn]\ntimeout_s = -1", "line 2: [fn.timeout_s] timeout_s must be positive"),
        ('[fn]\nurl = "localhost"', "line 2: [fn.url] url 'localhost' does not begin with http"),
        ("[kafkas]\na = 1", "line 1: [kafkas] no such setting"),
        ("[kafka\n", "not valid TOML"),
        ('[kafka]\noutput_topic = "metrics"', "fncast would read its own results"),
    ],
)
def test_the_error_of_a_wrong_setting_names_file_and_line(write, text, message):
    file = write(text)
    with pytest.raises(SettingsError) as error:
        load(file, {})
    assert str(file) in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("FNCAST_FN__TIMEOUT_S", "soon", "FNCAST_FN__TIMEOUT_S: 'soon' is not a number"),
        ("FNCAST_FN__TIMEOUTS", "3", "FNCAST_FN__TIMEOUTS: no such setting"),
        ("FNCAST_KAFKAS__X", "3", "FNCAST_KAFKAS__X: no such setting"),
        ("FNCAST_KAFKA__GROUP_ID_FILE", "/nowhere/secret", "cannot read '/nowhere/secret'"),
        ("FNCAST_ADMIN__PORT", "http", "'http' is not an integer"),
    ],
)
def test_the_error_of_a_wrong_variable_names_it(write, variable, value, message):
    with pytest.raises(SettingsError, match=r"environment variable FNCAST_") as error:
        load(write(""), {variable: value})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FNCAST_SERVICE_HOST", "10.0.0.1"),
        ("FNCAST_SERVICE_PORT", "9464"),
        ("FNCAST_SERVICE_PORT_METRICS", "9464"),
        ("FNCAST_PORT", "tcp://10.0.0.1:9464"),
        ("FNCAST_PORT_9464_TCP", "tcp://10.0.0.1:9464"),
        ("FNCAST_PORT_9464_TCP_ADDR", "10.0.0.1"),
        ("FNCAST_KAFKA_SERVICE_HOST", "10.0.0.1"),  # of a Service called fncast-kafka
        ("FNCAST_KAFKA", "x"),
        ("FNCAST_DATA", "/data"),
    ],
)
def test_a_variable_without_a_double_underscore_is_no_setting(write, variable, value):
    assert load(write(""), {variable: value}) == load(write(""), {})


@pytest.mark.parametrize("variable", ["FNCAST_KAFKA__", "FNCAST___HOST", "FNCAST_KAFKA__CLIENT__"])
def test_half_a_name_is_still_an_error(write, variable):
    with pytest.raises(SettingsError, match=f"environment variable {variable}: no such setting"):
        load(write(""), {variable: "x"})


@pytest.mark.parametrize(
    ("text", "topics", "destinations"),
    [
        ('[[inputs]]\ntopic = "a"\ndestination = "forecast"', ("a",), {"a": "forecast"}),
        ('[[inputs]]\ntopic = "a"\n[[inputs]]\ntopic = "b"', ("a", "b"), {}),
        (
            '[kafka]\ninput_topics = ["m", "b"]\n[[inputs]]\ntopic = "a"\n[[inputs]]\ntopic = "b"\n'
            'destination = "forecast"',
            ("m", "b", "a"),
            {"b": "forecast"},
        ),
        ("", ("metrics",), {}),
    ],
)
def test_inputs_name_topics_and_their_destination(write, text, topics, destinations):
    settings = load(write(text), {})
    assert settings.kafka.input_topics == topics
    assert settings.default_destinations() == destinations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[inputs]]\ntopic = "a"\n\n[[inputs]]\ntopic = "b"\ndest = "x"',
            "line 6: [inputs[1].dest] no such setting",
        ),
        (
            '[[inputs]]\ntopic = "a"\ndestination = "x"',
            "destination 'x' is not a route; routes are: forecast",
        ),
        (
            '[[inputs]]\ntopic = "a"\n[[inputs]]\ntopic = "a"',
            "[inputs[1]] topic 'a' has an [[inputs]] entry already",
        ),
        ("[[inputs]]\ntopic = 3", "line 2: [inputs[0].topic] must be a string, not an integer"),
        ('[[inputs]]\ndestination = "forecast"', "line 1: [inputs[0]] Object missing required field `topic`"),
        ('[inputs]\ntopic = "a"', "line 1: [inputs] must be an array, not a table"),
        ('[[inputs]]\ntopic = "a b"', "input_topics 'a b' is not a topic name"),
        ('[[inputs]]\ntopic = "forecasts"', "'forecasts' is an input and an output topic"),
        (
            "[kafka]\npause_after_refused = -1",
            "line 2: [kafka.pause_after_refused] pause_after_refused must not be",
        ),
    ],
)
def test_a_wrong_input_is_an_error(write, text, message):
    with pytest.raises(SettingsError) as error:
        load(write(text), {})
    assert message in str(error.value)


def test_inputs_are_the_files_alone(write):
    with pytest.raises(SettingsError, match=r"FNCAST_INPUTS__TOPIC: \[\[inputs\]\] works only in the file"):
        load(write(""), {"FNCAST_INPUTS__TOPIC": "a"})
    file = write('[[inputs]]\ntopic = "a"')
    assert load(file, {"FNCAST_KAFKA__INPUT_TOPICS": "m"}).kafka.input_topics == ("m", "a")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml"):
        load(tmp_path / "none.toml", {})


def test_no_password_is_shown_with_the_settings():
    settings = load(None, {"FNCAST_KAFKA__CLIENT__SASL_PASSWORD": "s3cret"})
    assert settings.kafka.client_properties()["sasl.password"] == "s3cret"
    assert "s3cret" not in repr(settings)
    assert "sasl.password" in repr(settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[kafka]\noutage_topic = "dead-letters"\n', "different topics"),
        ('[kafka]\noutput_topic = "dead-letters"\n', "different topics"),
        ("[fn]\ntimeout_s = nan\n", "timeout_s must be positive"),
        ('[fn]\nurl = "http://"\n', "names no host"),
        ('[fn]\nurl = "http://me:hunter2@fn:8080"\n', r"\[fn.url\] url 'http://fn:8080' .* token_file"),
        ('[routes]\na = {url = "http://x:y@[::bad"}\n', "cannot be read"),
    ],
)
def test_settings_that_could_not_work_are_refused(write, text, message):
    with pytest.raises(SettingsError, match=message):
        load(write(text), {})


def test_a_url_that_is_refused_does_not_show_its_password(write):
    with pytest.raises(SettingsError) as raised:
        load(write('[routes]\na = {url = "ftp://u:hunter2@x/?code=hunter2"}\n'), {})
    assert "ftp://x/" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("FNCAST_ADMIN__PORT", "99999", "port 99999 is not from 0 to 65535"),
        (
            "FNCAST_ROUTES__A",
            "http://x:99999/",
            "routes.a: url 'http://x:99999/' has a port that is not from 1 to",
        ),
        ("FNCAST_ROUTES__A", "http://x:0/", "has a port that is not from 1 to 65535"),
        ("FNCAST_ROUTES__A", "https:///path", "routes.a: url 'https:///path' names no host"),
        ("FNCAST_ROUTES__A__URL", "http://x:99999/", "url 'http://x:99999/' has a port"),
        ("FNCAST_FN__URL", "http://x:99999", "url 'http://x:99999' has a port"),
        ("FNCAST_KAFKA__OUTPUT_TOPIC", "a b", "output_topic 'a b' is not a topic name"),
        ("FNCAST_KAFKA__DEAD_LETTER_TOPIC", "a/b", "dead_letter_topic 'a/b' is not a topic name"),
        ("FNCAST_KAFKA__OUTAGE_TOPIC", "é", "outage_topic 'é' is not a topic name"),
        ("FNCAST_KAFKA__INPUT_TOPICS", "a,b c", "input_topics 'b c' is not a topic name"),
        ("FNCAST_KAFKA__INPUT_TOPICS", "a" * 250, "is not a topic name"),
        ("FNCAST_KAFKA__OUTPUT_TOPIC", "..", "output_topic '..' is not a topic name"),
        ("FNCAST_KAFKA__OUTPUT_TOPIC", "a\n", "is not a topic name"),
    ],
)
def test_what_could_never_work_is_refused_with_its_variable(write, variable, value, message):
    with pytest.raises(SettingsError, match=f"^environment variable {variable}: ") as error:
        load(write(""), {variable: value})
    assert message in str(error.value)


def test_the_error_of_a_route_names_its_line(write):
    with pytest.raises(SettingsError, match=r"fncast.toml, line 3: \[routes.my-2nd\] .* has a port"):
        load(write('[routes]\na = "fn:a/b"\nmy-2nd = "http://x:99999/"\n'), {})


@pytest.mark.parametrize(
    "text",
    [
        '[routes]\na = "fn:a/b"\nb = { url = "http://x:99999/" }\n',
        '[routes]\na = "fn:a/b"\nb = { url = "x" }\n',
        '[routes]\na = "fn:a/b"\nb.url = "x"\n',
        '\n[routes.b]\nurl = "x"\n',
    ],
)
def test_the_error_of_a_route_table_names_its_line(write, text):
    with pytest.raises(SettingsError, match=r"fncast.toml, line [23]: \[routes.b(.url)?\] (routes.b: )?url "):
        load(write(text), {})


def test_any_legal_topic_is_taken(write):
    topic = "a.B_9-" + "x" * 243
    assert load(write(""), {"FNCAST_KAFKA__OUTPUT_TOPIC": topic}).kafka.output_topic == topic


@pytest.mark.parametrize("value", ['["hunter2"]', "1979-05-27", '[{a = "hunter2"}]'])
def test_a_client_property_is_no_list_and_its_value_is_not_shown(write, value):
    with pytest.raises(SettingsError) as error:
        load(write(f'[kafka.client]\n"sasl.password" = {value}\n'), {})
    assert "line 2: [kafka.client.sasl.password] client.sasl.password is " in str(error.value)
    assert "must be a string, a number, true or false" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("variable", ["FNCAST_ROUTES__A", "FNCAST_ROUTES__A_FILE", "FNCAST_KAFKA__CLIENT"])
def test_the_error_of_a_table_in_the_environment_hides_its_value(write, tmp_path, variable):
    table = ' { url = "http://u:hunter2@x/" }'
    (tmp_path / "table").write_text(table)
    value = str(tmp_path / "table") if variable.endswith("_FILE") else table
    with pytest.raises(SettingsError) as error:
        load(write(""), {variable: value})
    assert f"environment variable {variable}: tables work only in the file" in str(error.value)
    assert "hunter2" not in str(error.value)

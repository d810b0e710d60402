"""An error names the file's line or the variable."""

import pytest

from consumer.settings import SettingsError, load


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[kafka]\n\ngroup_ids = "x"', "line 3: [kafka.group_ids] no such setting"),
        ("[kafka]\ngroup_id = 3", "line 2: [kafka.group_id] must be a string, not an integer"),
        (
            '[kafka]\ndelivery = "most"',
            "line 2: [kafka.delivery] 'most' is not allowed; use 'exactly-once' or 'at-least-once'",
        ),
        (
            '[kafka]\ninput_topics = ["a", "a"]',
            "line 2: [kafka.input_topics] input_topics names a topic twice",
        ),
        ("kafka = 3", "[kafka] must be a table of settings, not a value"),
        ('[routes]\na = "fn:a/b"\nb = 5', "line 3: [routes.b] must be a string or a table, not an integer"),
        ("[routes]\nb = {}", "line 2: [routes.b] url is missing"),
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
            '[kafka.client]\n"message.timeout.ms" = 1000',
            "line 2: [kafka.client.message.timeout.ms] client.message.timeout.ms cannot be set",
        ),
        (
            "[kafka.client.delivery.timeout]\nms = 1000",
            "line 2: [kafka.client.delivery.timeout.ms] client.delivery.timeout.ms cannot be set",
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
        ("FNCAST_KAFKA__TOPIC__NAME", "a", "no such setting"),
        ("FNCAST_KAFKA__INPUT_TOPICS__A", "a", "must be an array, not a table"),
        ("FNCAST_ROUTES__A__URL__B", "a", "must be a string, not a table"),
        ("FNCAST_ROUTES__A__BATCH", "true", "url is missing"),
    ],
)
def test_an_impossible_value_is_rejected_with_the_name_of_its_variable(write, variable, value, message):
    with pytest.raises(SettingsError, match=f"^environment variable {variable}: ") as error:
        load(write(""), {variable: value})
    assert message in str(error.value)


def test_a_table_of_the_file_is_named_although_a_variable_adds_to_it(write):
    with pytest.raises(SettingsError, match=r"fncast.toml, line 1: \[routes.a\] url is missing"):
        load(write("[routes.a]\nbatch = true\n"), {"FNCAST_ROUTES__A__MODE": "binary"})


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

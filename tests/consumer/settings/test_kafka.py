"""The settings of [kafka]."""

import pytest

from consumer.settings import SettingsError, load


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


def test_no_password_is_shown_with_the_settings():
    settings = load(None, {"FNCAST_KAFKA__CLIENT__SASL_PASSWORD": "s3cret"})
    assert settings.kafka.client_properties()["sasl.password"] == "s3cret"
    assert "s3cret" not in repr(settings)
    assert "sasl.password" in repr(settings)


def test_a_login_in_the_addresses_is_rejected_and_not_shown(write):
    with pytest.raises(SettingsError, match="has a login") as error:
        load(write(""), {"FNCAST_KAFKA__BOOTSTRAP_SERVERS": "user:s3cret@localhost:9092"})
    assert "s3cret" not in str(error.value)


def test_every_valid_topic_name_is_accepted(write):
    topic = "a.B_9-" + "x" * 243
    assert load(write(""), {"FNCAST_KAFKA__OUTPUT_TOPIC": topic}).kafka.output_topic == topic


@pytest.mark.parametrize(
    ("name", "setting"),
    [("bootstrap.servers", "bootstrap_servers"), ("group.id", "group_id"), ("partitioner", "partitioner")],
)
def test_a_client_property_that_is_a_setting_of_fncast_names_the_setting(write, name, setting):
    with pytest.raises(
        SettingsError, match=rf"client\.{name} cannot be set: set {setting} in \[kafka\] instead"
    ):
        load(write(f'[kafka.client]\n"{name}" = "x"\n'), {})


@pytest.mark.parametrize("value", ['["hunter2"]', "1979-05-27", '[{a = "hunter2"}]'])
def test_a_client_property_must_not_be_a_list_and_its_value_is_not_shown(write, value):
    with pytest.raises(SettingsError) as error:
        load(write(f'[kafka.client]\n"sasl.password" = {value}\n'), {})
    assert "line 2: [kafka.client.sasl.password] client.sasl.password is " in str(error.value)
    assert "must be a string, a number, true or false" in str(error.value)
    assert "hunter2" not in str(error.value)

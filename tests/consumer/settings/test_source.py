"""Settings from the environment."""

import pytest

from consumer.settings import SettingsError, load


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
def test_a_variable_without_a_double_underscore_is_not_a_setting(write, variable, value):
    assert load(write(""), {variable: value}) == load(write(""), {})


@pytest.mark.parametrize("variable", ["FNCAST_KAFKA__", "FNCAST___HOST", "FNCAST_KAFKA__CLIENT__"])
def test_a_variable_with_an_incomplete_name_is_an_error(write, variable):
    with pytest.raises(SettingsError, match=f"environment variable {variable}: no such setting"):
        load(write(""), {variable: "x"})


@pytest.mark.parametrize("variable", ["FNCAST_ROUTES__A", "FNCAST_ROUTES__A_FILE", "FNCAST_KAFKA__CLIENT"])
def test_the_error_of_a_table_in_the_environment_hides_its_value(write, tmp_path, variable):
    table = ' { url = "http://u:hunter2@x/" }'
    (tmp_path / "table").write_text(table)
    value = str(tmp_path / "table") if variable.endswith("_FILE") else table
    with pytest.raises(SettingsError) as error:
        load(write(""), {variable: value})
    assert f"environment variable {variable}: tables work only in the file" in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("route", ["A", "ROUTES"])
def test_a_variable_and_another_one_below_it_are_rejected(write, route):
    both = {f"FNCAST_ROUTES__{route}": "http://x", f"FNCAST_ROUTES__{route}__URL": "http://y"}
    with pytest.raises(SettingsError) as error:
        load(write(""), both)
    assert str(error.value) == (
        f"environment variable FNCAST_ROUTES__{route}__URL: FNCAST_ROUTES__{route} is set too; keep one of them"
    )

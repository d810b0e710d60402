"""Settings of inputs of single readings, and of the windows that become of them."""

import pytest

from consumer.settings import InputSettings, JsonMapping, SettingsError, WindowSettings, load
from interceptor.readings.formats import build_format

READINGS = """
[windows]
step = "60s"
grace_s = 5
[[inputs]]
topic = "telegraf"
format = "telegraf-json"
destination = "forecast"
include = ["cpu.*"]
window = 24
min = 0
[[inputs]]
topic = "gateways"
format = "json"
series = "{device} {field}"
rekey = true
[inputs.json]
time = "ts"
time_unit = "ms"
values = ["temp", "vibration"]
labels = ["device"]
"""


def test_an_input_overrides_windows_for_its_topic(write):
    settings = load(write(READINGS), {})
    assert settings.windows_of("telegraf") == WindowSettings(step="60s", grace_s=5, window=24, min=0)
    assert (
        settings.windows_of("gateways")
        == settings.windows_of("metrics")
        == WindowSettings(step="60s", grace_s=5)
    )
    assert [entry.has_readings for entry in settings.inputs] == [True, True]
    assert settings.inputs[1].by_series_topic == "gateways-by-series"
    rules = settings.rules_of("telegraf")
    assert (rules.window, rules.step_ns, rules.grace_ns, rules.low) == (24, 60 * 10**9, 5 * 10**9, 0)
    assert rules.include == ("cpu.*",)


def test_an_input_has_the_options_of_its_format(write):
    telegraf, gateways = load(write(READINGS), {}).inputs
    assert telegraf.format_options() == {}
    assert gateways.json == JsonMapping("ts", "ms", ("temp", "vibration"), ("device",))
    decoded = build_format(gateways.format_name, gateways.format_options()).decode(
        b'{"ts": 1700000000000, "device": "press", "temp": 3, "vibration": 4, "other": 5}', None, [], 0
    )
    assert decoded.values == [3, 4]
    assert decoded.times_ns == [1_700_000_000_000_000_000] * 2


def test_an_input_has_readings_if_a_setting_says_so_or_needs_them():
    assert not InputSettings("metrics", destination="forecast").has_readings
    assert InputSettings("metrics", rekey=True).format_name == "cloudevents"
    for entry in (
        InputSettings("a", format="influx-line"),
        InputSettings("a", format="cloudevents"),
        InputSettings("a", min=0),
        InputSettings("a", include=("x",)),
        InputSettings("a", rekey=True),
    ):
        assert entry.has_readings


ENTRY = '[[inputs]]\ntopic = "a"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ENTRY + 'format = "avro"',
            "line 3: [inputs[0].format] format 'avro' is unknown: use one of cloudev",
        ),
        (ENTRY + 'format = "mine:"', "line 3: [inputs[0].format] format 'mine:' is unknown"),
        ('[[inputs]]\ntopic = ["a"]', "line 2: [inputs[0].topic] must be a string, not an array"),
        (ENTRY + 'step = "soon"', "line 3: [inputs[0].step] inputs[0].step 'soon' is not a step"),
        (ENTRY + 'step = "0s"', "line 3: [inputs[0].step] inputs[0].step '0s' is not a step"),
        (ENTRY + 'aggregate = "median"', "line 3: [inputs[0].aggregate] 'median' is not allowed"),
        (ENTRY + "grace_s = -1", "line 3: [inputs[0].grace_s] inputs[0].grace_s must be at least 0, and"),
        (ENTRY + "every = 0", "line 3: [inputs[0].every] inputs[0].every must be from 1 to 10,000"),
        (ENTRY + "window = 1", "line 3: [inputs[0].window] inputs[0].window must be from 2 to "),
        (
            ENTRY + 'aggregate = "sum"',
            "line 3: [inputs[0].aggregate] inputs[0].aggregate = 'sum' needs a step",
        ),
        (
            '[windows]\naggregate = "sum"\n' + ENTRY,
            "line 2: [windows.aggregate] windows.aggregate = 'sum' needs a step",
        ),
        (
            ENTRY + "min_readings = 49",
            "line 3: [inputs[0].min_readings] inputs[0].min_readings must be from 0",
        ),
        (ENTRY + "max_series = 0", "line 3: [inputs[0].max_series]"),
        (ENTRY + "min = 3\nmax = 3", "line 3: [inputs[0].min] inputs[0].min 3 is not below max 3"),
        (ENTRY + "min = inf", "line 3: [inputs[0].min] inputs[0].min must be a finite number"),
        (
            ENTRY + 'series = "cpu"',
            "line 3: [inputs[0].series] series = 'cpu' gives every series the",
        ),
        (ENTRY + 'include = [""]', "line 3: [inputs[0].include] include has an empty pattern"),
        (ENTRY + 'rekey = "yes"', "line 3: [inputs[0].rekey] "),
        (ENTRY + 'json = { time = "t" }', 'line 3: [inputs[0].json] json is only for format = "json"'),
        (
            ENTRY + 'format = "json"\n[inputs.json]\ntime_unit = "min"',
            "line 5: [inputs[0].json.time_unit] 'min' is not allowed; use 'auto' or 's'",
        ),
        (
            ENTRY + 'format = "json"\n' + ENTRY.replace('"a"', '"b"') + 'format = "json"\n'
            "[inputs.json]\n\nroot = 'a..b'",
            "line 9: [inputs[1].json.root] root 'a..b' is not a path",
        ),
        (
            ENTRY + 'format = "json"\n[inputs.json]\nvalue = ["x"]',
            "line 5: [inputs[0].json.value] no such setting",
        ),
        ('[windows]\nstep = "1x"', "line 2: [windows.step] step '1x' is not a step"),
        ("[windows]\nevery = 1.5", "line 2: [windows.every] must be an integer"),
        (
            '[windows]\nrate = "on"',
            "line 2: [windows.rate] 'on' is not allowed; use 'auto' or 'off'",
        ),
        (
            '[interceptors]\nchain = ["route", "deliver"]\n' + ENTRY + 'format = "influx-line"',
            "line 2: [interceptors.chain] interceptors.chain has no `assemble`, which the readings of the topic 'a'",
        ),
        (
            '[kafka]\ninput_topics = ["a-by-series"]\n' + ENTRY + "rekey = true",
            "line 5: [inputs[0].rekey] inputs[0].rekey sends readings through the topic 'a-by-series'",
        ),
        ('[kafka]\nstate_topic = "forecasts"', "state_topic must be different topics"),
        ('[kafka]\nstate_topic = "a b"', "line 2: [kafka.state_topic] state_topic 'a b' is not a topic name"),
        (
            '[routes.a]\nurl = "http://x"\nencoding = "xml"',
            "line 3: [routes.a.encoding] 'xml' is not allowed; use 'json' or 'graphpipe'",
        ),
    ],
)
def test_a_wrong_value_is_an_error_with_file_and_line(write, text, message):
    file = write(text)
    with pytest.raises(SettingsError) as error:
        load(file, {})
    assert str(file) in str(error.value)
    assert message in str(error.value)


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
        ('[[inputs]]\ndestination = "forecast"', "line 1: [inputs[0]] topic is missing"),
        ('[inputs]\ntopic = "a"', "line 1: [inputs] must be an array, not a table"),
        ('[[inputs]]\ntopic = "a b"', "line 2: [inputs[0].topic] topic 'a b' is not a topic name"),
        ('[[inputs]]\ntopic = ""', "line 2: [inputs[0].topic] topic '' is not a topic name"),
        ('[[inputs]]\ntopic = "forecasts"', "'forecasts' is an input and an output topic"),
        (
            "[kafka]\npause_after_refused = -1",
            "line 2: [kafka.pause_after_refused] pause_after_refused must be at",
        ),
    ],
)
def test_a_wrong_input_is_an_error(write, text, message):
    with pytest.raises(SettingsError) as error:
        load(write(text), {})
    assert message in str(error.value)


def test_inputs_can_be_set_only_in_the_file(write):
    with pytest.raises(SettingsError, match=r"FNCAST_INPUTS__TOPIC: \[\[inputs\]\] works only in the file"):
        load(write(""), {"FNCAST_INPUTS__TOPIC": "a"})
    file = write('[[inputs]]\ntopic = "a"')
    assert load(file, {"FNCAST_KAFKA__INPUT_TOPICS": "m"}).kafka.input_topics == ("m", "a")

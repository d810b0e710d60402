"""The consumer's settings: one validated object, and where each value came from."""

from consumer.settings.functions import Fn, Route
from consumer.settings.inputs import Input, JsonMapping
from consumer.settings.kafka import Kafka
from consumer.settings.loading import load
from consumer.settings.monitor import Alert, Monitor
from consumer.settings.settings import Admin, Interceptors, Settings
from consumer.settings.source import SettingsError
from consumer.settings.windows import Windows

__all__ = [
    "Admin",
    "Alert",
    "Fn",
    "Input",
    "Interceptors",
    "JsonMapping",
    "Kafka",
    "Monitor",
    "Route",
    "Settings",
    "SettingsError",
    "Windows",
    "load",
]

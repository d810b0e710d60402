"""The consumer's settings: one validated object, and where each value came from."""

from consumer.settings.functions import FnSettings, RouteSettings
from consumer.settings.inputs import InputSettings, JsonMapping
from consumer.settings.kafka import KafkaSettings
from consumer.settings.loading import load
from consumer.settings.monitor import AlertSettings, MonitorSettings
from consumer.settings.settings import AdminSettings, InterceptorSettings, Settings
from consumer.settings.source import SettingsError
from consumer.settings.windows import WindowSettings

__all__ = [
    "AdminSettings",
    "AlertSettings",
    "FnSettings",
    "InputSettings",
    "InterceptorSettings",
    "JsonMapping",
    "KafkaSettings",
    "MonitorSettings",
    "RouteSettings",
    "Settings",
    "SettingsError",
    "WindowSettings",
    "load",
]

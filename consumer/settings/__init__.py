"""The consumer'"'"'s settings: one validated object, and where each value came from."""

from consumer.settings.settings import (
    Admin,
    Fn,
    Input,
    Interceptors,
    JsonMapping,
    Kafka,
    Route,
    Settings,
    Windows,
    load,
)
from consumer.settings.source import SettingsError

__all__ = [
    "Admin",
    "Fn",
    "Input",
    "Interceptors",
    "JsonMapping",
    "Kafka",
    "Route",
    "Settings",
    "SettingsError",
    "Windows",
    "load",
]

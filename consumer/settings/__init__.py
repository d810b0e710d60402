"""The consumer's settings: one validated object, and where each value came from."""

from consumer.settings.settings import (
    Admin,
    Alert,
    Fn,
    Input,
    Interceptors,
    JsonMapping,
    Kafka,
    Monitor,
    Route,
    Settings,
    Windows,
    load,
)
from consumer.settings.source import SettingsError

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

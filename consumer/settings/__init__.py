"""The consumer'"'"'s settings: one validated object, and where each value came from."""

from consumer.settings.settings import (
    Admin,
    Fn,
    Input,
    Interceptors,
    Kafka,
    Route,
    Settings,
    load,
)
from consumer.settings.source import SettingsError

__all__ = ["Admin", "Fn", "Input", "Interceptors", "Kafka", "Route", "Settings", "SettingsError", "load"]

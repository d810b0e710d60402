"""Measures the delay of forecasts."""

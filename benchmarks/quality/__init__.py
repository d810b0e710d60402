"""Measures the quality of forecasts."""

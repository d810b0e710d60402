"""Measures forecasts from single readings: the rate, the cost of a reading, the delay, and how long a restart takes."""

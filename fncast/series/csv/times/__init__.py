"""Parses columns of times: dates, times of day, offsets, numbers since 1970, time zones."""

"""Joins the forecasts of one series with its readings."""

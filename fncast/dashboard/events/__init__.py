"""What the records of the topics hold: events, forecasts, single readings."""

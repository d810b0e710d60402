"""The series that the page shows: readings, forecasts, their error, silence."""

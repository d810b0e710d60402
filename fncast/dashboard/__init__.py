"""Shows forecasts: on a live page and in a terminal."""

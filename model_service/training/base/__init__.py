"""The base model: forecasts any series from a few readings on, with missing readings, without training by the user."""

"""How late a forecast is."""

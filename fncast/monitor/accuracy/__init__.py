"""How good forecasts are, and when that is published."""

"""What the page shows besides the series: counts, delays, incidents, accuracy, training."""

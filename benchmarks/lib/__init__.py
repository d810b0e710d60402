"""What the measurements share: broker, load, meter, rounds, reports."""

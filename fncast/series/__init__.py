"""What a series is: its step, its readings in a CSV file, the window that a model gets. No I/O but files."""

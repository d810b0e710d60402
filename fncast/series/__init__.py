"""What a series is: its step, its grid, the window that a model gets. Files are read in `csv`. No other I/O."""

"""CloudEvents 1.0: records read as events, and the events that functions return."""

"""The parts of `fncast detect`: a model in this process, its forecasts, the table and the plot."""

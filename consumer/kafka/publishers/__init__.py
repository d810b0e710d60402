"""The two publishers, one for each delivery guarantee, and the producers behind them."""

"""The interceptor chain: it reads records as events, routes them and calls functions."""

"""Routes to functions: HTTP client, circuit breaker, watchdog and back-off."""

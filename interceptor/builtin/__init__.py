"""The built-in interceptors: `expiry`, `route` and `deliver`."""

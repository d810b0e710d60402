"""The built-in interceptors: `expiry`, `rekey`, `assemble`, `route` and `deliver`."""

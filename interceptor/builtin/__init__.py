"""The interceptors that come with fncast: `expiry`, `route` and `deliver`."""

"""The chain that an event passes: expiry, route, deliver; and the view over a record that it works on."""

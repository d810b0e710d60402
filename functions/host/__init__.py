"""The local function host: runs an Fn function's folder without an Fn server or Docker, behind Fn's HTTP API."""

"""What every HTTP listener shares: the server, its sockets, TLS, tokens and sessions."""

"""Commands of the service: serve, serve keys and replay."""

"""Models of the service: worker processes, queues and the hosting of files."""

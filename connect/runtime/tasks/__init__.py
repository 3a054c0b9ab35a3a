"""A task: the process that runs a connector, its loop, and the pipe to its worker."""

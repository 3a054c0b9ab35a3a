"""A connector's configuration: read, checked, described, and turned into what a task runs with."""

"""What stops a service process and is nobody's bug."""

from __future__ import annotations

ENVIRONMENT_EXIT_CODE = 3
"""How a process ends when its surroundings do not let it start: a supervisor does not try again."""


class EnvironmentProblem(Exception):
    """A port in use, a directory that cannot be written, a group held by others: one line for the user, exit code 3."""

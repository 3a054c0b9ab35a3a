"""The command ``penstock``: finds its subcommands by entry point and loads only the one that is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer

GROUP = "penstock.commands"


def application(arguments: Sequence[str]) -> typer.Typer:
    """The command line as far as these arguments need it: one subcommand, or all of them for the help."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback(help="Connectors, a partitioned log and change data capture in one command. Try: penstock up")(_nothing)
    commands = {point.name: point for point in entry_points(group=GROUP)}
    asked_for = arguments[0] if arguments and arguments[0] in commands else None
    for name in [asked_for] if asked_for else sorted(commands):
        app.command(name)(_load(commands[name]))
    return app


def _nothing() -> None:
    """Makes the application a group of commands even where it holds only one."""


def _load(point: EntryPoint) -> Callable[..., Any]:
    """The subcommand's function; one that does not load is said to be so and leaves the others usable."""
    try:
        loaded: Callable[..., Any] = point.load()
    except ImportError as error:
        reason = f"The command '{point.name}' ({point.value}) cannot be loaded: {error}"

        def broken() -> None:
            typer.echo(reason, err=True)
            raise typer.Exit(1)

        broken.__doc__ = reason
        return broken
    return loaded


def main() -> None:
    """Entry point of the console script."""
    application(sys.argv[1:])()


if __name__ == "__main__":
    main()

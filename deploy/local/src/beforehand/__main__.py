"""The `beforehand` command: its own subcommands, and those that installed packages announce.

A package announces a click command under the entry-point group `beforehand.commands`. One that can't be imported
does not take the others down: it is listed as broken, and says why when it is called.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points

import click

from beforehand.errors import RunnerError

GROUP = "beforehand.commands"
OWN = {
    "up": "beforehand.commands.up:up",
    "demo": "beforehand.demo.commands:demo",
    "dead": "beforehand.commands.dead:dead",
}


class Commands(click.Group):
    """Loads a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks for it
        return [*OWN, *sorted({entry.name for entry in entry_points(group=GROUP)} - set(OWN))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in OWN:
            return _loaded(cmd_name, OWN[cmd_name], lambda: _own(OWN[cmd_name]))
        for entry in entry_points(group=GROUP, name=cmd_name):
            return _loaded(cmd_name, entry.value, entry.load)
        return None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="beforehand", message="%(prog)s %(version)s")
def beforehand() -> None:
    """Tell customers what went wrong before they have to ask.

    Backend systems publish events; rules watch them per customer; when a rule fires, the customer gets a mail or a
    text message, and another when it is over.

    \b
    To see it work:      beforehand demo
    To run it here:      beforehand up
    To check your rules: beforehand rules check rules/
    To learn more:       beforehand COMMAND --help
    """  # noqa: D301 - click wants a real backspace


def main() -> None:
    """The console script."""
    try:
        beforehand(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RunnerError as error:
        click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
        sys.exit(error.exit_code)


def _own(target: str) -> click.Command:
    module, _, name = target.partition(":")
    command = getattr(import_module(module), name)
    assert isinstance(command, click.Command)
    return command


def _loaded(name: str, target: str, load: Callable[[], click.Command]) -> click.Command:
    try:
        return load()
    except Exception as error:  # whatever its import raises
        return _broken(name, f"{target} can't be imported: {type(error).__name__}: {error}")


def _broken(name: str, reason: str) -> click.Command:
    """Stands in for a command that can't be had."""

    def say() -> None:
        raise RunnerError(f"`beforehand {name}` is not available: {reason}")

    return click.Command(
        name,
        callback=say,
        help=f"Not available: {reason}",
        short_help="(not available: its package can't be imported)",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


if __name__ == "__main__":
    main()

"""The program `scalefast`: its commands, and how it ends.

Commands are loaded when asked for, and each imports the library inside its function, so that `scalefast --help`
needs neither NumPy nor Polars. Ends with 0 (done), 1 (a stated check failed), 2 (wrong usage or bad data),
130 (interrupted); a reader that closes the pipe ends it quietly.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import click

from scalefast import ScalefastError

from . import errors, options
from .exits import BAD_INPUT, CHECK_FAILED, DONE, INTERRUPTED

#: Modules of `scalefast.cli.commands`, each with a function of its name, in the order of the help.
COMMANDS = (
    "sweep",
    "plan",
    "solve",
    "compare",
    "overtraining",
    "shapes",
    "costs",
    "fit",
    "predict",
    "simulate",
    "laws",
    "accelerators",
    "explain",
)


class Program(click.Group):
    """The group of all commands, with the exit codes and error messages of the whole program."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's file."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"scalefast.cli.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A misspelt command gets the nearest ones."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            hint = errors.hint_for(args[0], COMMANDS, "commands")
            raise click.UsageError(f"no command {errors.quoted(args[0])}\nhint: {hint}", ctx)
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and turn whatever ends the run into its exit code."""
        if "_SCALEFAST_COMPLETE" in os.environ:
            return super().main(args, prog_name, complete_var, standalone_mode, **extra)
        arguments = list(sys.argv[1:] if args is None else args)
        code = self.run(arguments, extra)
        if standalone_mode:
            sys.exit(code)
        return code

    def run(self, arguments: list[str], extra: dict[str, Any]) -> int:
        """The exit code of one run. (click's own `main` would end a closed pipe with 1.)"""
        try:
            with self.make_context("scalefast", list(arguments), **extra) as ctx:
                self.invoke(ctx)
            sys.stdout.flush()
        except click.exceptions.Exit as ending:
            return ending.exit_code
        except (KeyboardInterrupt, click.Abort):
            return interrupted()
        except BrokenPipeError:
            return closed_pipe()
        except (ScalefastError, click.ClickException, OSError) as error:
            if getattr(error, "code", None) == "interrupted":
                return interrupted()
            errors.show(error, wants_json(arguments))
            return CHECK_FAILED if isinstance(error, errors.CheckFailed) else BAD_INPUT
        except UnicodeEncodeError as error:
            # Bytes of the command line that are not UTF-8 may name a file, and mean nothing anywhere else.
            errors.show(click.UsageError(f"{error.object!a:.60} is not text in UTF-8"), wants_json(arguments))
            return BAD_INPUT
        return DONE


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, read from the bare arguments so that usage errors obey it too."""
    asked = {"json", "ndjson"}
    joined = any(argument.removeprefix("--format=") in asked for argument in arguments if "=" in argument)
    return joined or any(option == "--format" and value in asked for option, value in pairwise(arguments))


def interrupted() -> int:
    """Say so in one line; a terminal has just echoed ^C on the current one."""
    sys.stderr.write("\ninterrupted\n" if sys.stderr.isatty() else "interrupted\n")
    return INTERRUPTED


def closed_pipe() -> int:
    """The reader has had enough, as `head -1` does: not an error. Python would complain again when flushing at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


@click.command(
    "scalefast",
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=options.examples("scalefast sweep --budget 1e24", "scalefast laws"),
)
@click.version_option(package_name="scalefast", message="%(prog)s %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Fit scaling laws to training runs, and read compute-optimal sizes off them.

    Data go to stdout, everything else to stderr: a table on a terminal, CSV in a pipe, any format by --format. Numbers
    may be written 70B, 1.4T or 1e24.
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError(f"no command\n\n{ctx.get_help()}")

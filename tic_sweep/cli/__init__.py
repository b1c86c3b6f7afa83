"""The command line: ``tic-sweep COMMAND``; `tic_sweep.cli.running` plans and runs, the other modules look at results.

What a user can mend is one line on stderr and exit code 2. A run that ends with failed trials exits with 1, one that
was interrupted with 128 plus the signal's number. Everything heavy is imported inside the commands.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

import tic_sweep
from tic_sweep.cli import (
    checking,
    comparing,
    drawing,
    looking,
    mirroring,
    querying,
    reproducing,
    running,
    tidying,
    tuning,
)
from tic_sweep.cli.options import tell_aside
from tic_sweep.errors import UserError


class InOrder(click.Group):
    """A group whose help lists its commands as they were added, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(tic_sweep.__version__, prog_name="tic-sweep")
def cli() -> None:
    """Sweeps of spiking networks that ask when in time their information lives.

    Begin with: tic-sweep run quickstart
    """


COMMANDS = (
    running.list_, running.fields, running.plan, running.run, running.resume, tuning.tune_lr,
    looking.status, looking.watch, looking.claims, looking.report, drawing.figures,
    comparing.effects, comparing.compare,
    querying.query, querying.export, reproducing.rerun, mirroring.mirror, tidying.compact_,
    checking.doctor,
)  # fmt: skip
"""In the order of the help page: what comes first in a sweep's life first."""
for command in COMMANDS:
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    try:
        code = cli.main(args=arguments, prog_name="tic-sweep", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except click.ClickException as error:
        code = _refuse(error.format_message())
    except UserError as error:
        code = _refuse(str(error))
    except (click.Abort, KeyboardInterrupt):
        code = _refuse("interrupted.", code=130)
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(message: str, code: int = 2) -> int:
    tell_aside(f"error: {message}")
    return code

"""The command that runs one stored trial anew and compares: ``rerun``."""

import dataclasses
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tic_sweep.cli.options import FOLDER, PLACE, make_console, shown
from tic_sweep.cli.running import command_line

if TYPE_CHECKING:
    from rich.console import Console

    from tic_sweep.launch.options import Options
    from tic_sweep.launch.reproducing import Reproduced, StoredTrial


@click.command()
@click.argument("key")
@click.option("--results", type=PLACE, required=True, help="Results that hold the trial: a folder or a URL.")
@click.option(
    "--into", type=FOLDER, metavar="FOLDER", help="Results folder for the new run; a temporary one if left out."
)
@click.option("--data", type=FOLDER, envvar="TIC_SWEEP_DATA", help="Folder of the data sets [env: TIC_SWEEP_DATA].")
@click.option("--download", is_flag=True, help="Fetch data sets that are missing in --data.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Where to compute; where it did if left out.")
@click.pass_context
def rerun(
    ctx: click.Context, key: str, results: str | Path, into: Path | None, data: Path | None, download: bool,  # noqa: FBT001
    device: str | None,
) -> None:  # fmt: skip
    """Run the trial whose key begins with KEY anew, from its stored row alone, and compare with what was stored.

    Exits with 0 if weights and numbers are the same to the last bit, with 1 if anything differs.
    """
    from tic_sweep.launch.reproducing import find_trial, reproduce

    trial, console = find_trial(results, key), make_console()
    options = _options(trial, console, data=data, download=download, device=device)
    place = nullcontext(into) if into is not None else tempfile.TemporaryDirectory(prefix="tic_sweep-")
    with place as folder:
        told = reproduce(trial, options, Path(folder), command=command_line(ctx, "rerun", key), console=console)
    if told.interrupted is not None:
        console.print("Interrupted: nothing was compared.")
        sys.exit(told.interrupted)
    _tell(console, told)
    if into is not None:
        console.print(f"Results: {shown(into)}", soft_wrap=True, markup=False)
    sys.exit(0 if told.same else 1)


def _options(
    trial: "StoredTrial", console: "Console", *, data: Path | None, download: bool, device: str | None
) -> "Options":
    import torch

    from tic_sweep.launch.options import Options
    from tic_sweep.launch.preflight import available_cpus

    resources = trial.resources
    wanted = device or ("cuda" if trial.row["device"].startswith("cuda") else "cpu")
    if device is None and wanted == "cuda" and not torch.cuda.is_available():
        console.print("It ran on a GPU, and there is none here: on a CPU its numbers may differ by rounding.")
        wanted = "cpu"
    threads = min(resources.threads, available_cpus())
    if threads < resources.threads:
        console.print(
            f"It ran with {resources.threads} threads, and {threads} CPUs are here: its numbers may differ by rounding."
        )
    return Options(
        in_process=True, data=data, download=download, cpus_per_trial=threads, wandb="off", rerun=True,
        resources=dataclasses.replace(resources, device=wanted),
    )  # fmt: skip


def _tell(console: "Console", told: "Reproduced") -> None:
    from rich import box
    from rich.table import Table

    from tic_sweep.launch.reproducing import columns

    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("", "stored", "now", ""):
        table.add_column(heading, overflow="fold")
    for row in columns(told.comparisons):
        table.add_row(*row)
    console.print(table, markup=False)
    stored, now = told.versions
    verdict = "comes out the same" if told.same else "differs"
    console.print(f"Trial {told.stored.key} {verdict}.", soft_wrap=True, markup=False)
    if stored == now:
        console.print(f"Both by {now}.", soft_wrap=True, markup=False)
    else:
        console.print(f"Stored by {stored}.\nNow by {now}.", soft_wrap=True, markup=False)

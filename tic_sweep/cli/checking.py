"""The command that tries what a sweep would need: ``doctor``."""

import sys
from pathlib import Path
from typing import Any

import click

from tic_sweep.cli.options import FOLDER, PLACE, make_console


@click.command()
@click.option("--results", type=FOLDER, default=Path("results"), show_default=True, help="Where results would go.")
@click.option("--storage", type=PLACE, help="Folder that all nodes see, or URL, for the checkpoints.")
@click.option("--address", metavar="ADDRESS", help="Ray cluster to join: auto or host:port.")
@click.option("--cpus-per-trial", type=click.IntRange(1), default=1, show_default=True, help="CPUs of a trial.")
@click.option("--gpus-per-trial", type=float, default=0.0, help="GPUs of a trial; a fraction shares one.")
def doctor(results: Path, **given: Any) -> None:
    """Try what a sweep with these options would need: places, token, cluster, GPUs. Exits with 1 if something fails."""
    from tic_sweep.launch.checkup import checkup
    from tic_sweep.launch.options import Options

    console, fine = make_console(), True
    for found in checkup(Options(**given), results):
        console.print(f"{'ok   ' if found.fine else 'fails'} {found.what}: {found.told}", soft_wrap=True, markup=False)
        fine = fine and found.fine
    sys.exit(0 if fine else 1)

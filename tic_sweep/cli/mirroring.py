"""The command that mirrors results to Weights & Biases after the fact: ``wandb``."""

from pathlib import Path

import click

from tic_sweep.cli.options import FOLDER, make_console


@click.command("wandb")
@click.argument("results", type=FOLDER)
@click.option("--mode", type=click.Choice(["offline", "online"]), default="offline", show_default=True)
@click.option("--project", help="W&B project; that of WANDB_PROJECT, else tic_sweep, if left out.")
@click.option("--entity", help="W&B user or team.")
@click.option(
    "--trials",
    type=click.Choice(["missing", "all", "none"]),
    default="missing",
    show_default=True,
    help="Trials to mirror: those not mirrored as they are now, all, or none.",
)
@click.option(
    "--checkpoints",
    type=click.Choice(["best", "all", "none"]),
    default="best",
    show_default=True,
    help="Training states to attach: of each setting the best trial's (ten at most), all, or none.",
)
def mirror(
    results: Path, mode: str, project: str | None, entity: str | None, trials: str, checkpoints: str
) -> None:  # fmt: skip
    """Mirror RESULTS to Weights & Biases: report tables, claims, figures, files, and trials not mirrored yet."""
    from tic_sweep.store import ResultsFolder
    from tic_sweep.wandb_sink import push

    folder, console = ResultsFolder.open(results), make_console()
    pushed = push(folder, mode=mode, project=project, entity=entity, trials=trials, checkpoints=checkpoints)
    count = f"{pushed.trials} trial{'' if pushed.trials == 1 else 's'}"
    if pushed.told:
        console.print(pushed.told, soft_wrap=True, markup=False)
    elif mode == "online":
        console.print(f"Sent {count} and the report to W&B.", soft_wrap=True, markup=False)
    else:
        console.print(
            f"Wrote {count} and the report for W&B. Upload them with: {pushed.upload}", soft_wrap=True, markup=False
        )

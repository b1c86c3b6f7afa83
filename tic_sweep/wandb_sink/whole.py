"""Trials mirrored whole, from what the store holds of them."""

from collections.abc import Sequence

from tic_sweep.records import BADLY
from tic_sweep.wandb_sink.client import Client, NotTakenError, log, summarise
from tic_sweep.wandb_sink.ledger import note
from tic_sweep.wandb_sink.naming import Naming
from tic_sweep.wandb_sink.stored import StoredTrial, stored_trials
from tic_sweep.wandb_sink.values import entries, summary_of


def mirror_trials(client: Client, naming: Naming, keys: Sequence[str]) -> None:
    """Write the runs of trials, whole; those that W&B does not take are written offline at the end."""
    again = [stored.trial.key for stored in stored_trials(client.folder, keys) if not _mirror(client, naming, stored)]
    if again:
        client.fall_back()
        mirror_trials(client, naming, again)


def _mirror(client: Client, naming: Naming, stored: StoredTrial) -> bool:
    """Write the run of a trial, and return whether it was taken."""
    try:
        run = client.open(naming.trial(stored.trial, stored.row.attempt))
    except NotTakenError:
        return False
    for report in stored.reports:
        for entry in entries(report):
            log(run, entry)
    summarise(run, summary_of(stored.row))
    client.finish(run, exit_code=1 if stored.row.status in BADLY else 0)
    note(client.folder, stored.row)
    return True

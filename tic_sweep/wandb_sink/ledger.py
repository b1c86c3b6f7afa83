"""What was mirrored of a results folder, so that a later push knows what is missing; a line per run that was ended."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tic_sweep.records import TrialRow
from tic_sweep.store import ResultsFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """The state in which a trial was mirrored whole."""

    key: str
    status: str
    attempt: int
    epochs_done: int

    @classmethod
    def of(cls, row: TrialRow) -> "Mirrored":
        """Return the state that a trial's row tells."""
        return cls(key=row.key, status=row.status, attempt=row.attempt, epochs_done=row.epochs_done)


def note(folder: ResultsFolder, row: TrialRow) -> None:
    """Note that a trial has been mirrored in the state of its row.

    Raises:
        OSError: if the disk refuses.
    """
    with _path(folder).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(Mirrored.of(row))) + "\n")


def noted(folder: ResultsFolder) -> dict[str, Mirrored]:
    """Return the last state in which each trial was mirrored; a line cut short by a crash is passed over."""
    found: dict[str, Mirrored] = {}
    if not _path(folder).exists():
        return found
    for line in _path(folder).read_text(encoding="utf-8").splitlines():
        try:
            state = Mirrored(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[state.key] = state
    return found


def _path(folder: ResultsFolder) -> Path:
    return folder.wandb / "mirrored.jsonl"

"""What a results folder holds when a session begins: which trials have ended, and which are to be continued."""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from analysis.recorded import looks_of
from analysis.scores import tic_scores
from tic_sweep.errors import StoreError
from tic_sweep.launch.optuna_search import Known as KnownTrial
from tic_sweep.launch.provenance import Software
from tic_sweep.plan import PlannedTrial
from tic_sweep.racing import Look
from tic_sweep.records import ENDED
from tic_sweep.store import (
    Damage,
    DamagedFileWarning,
    Manifest,
    ResultsFolder,
    ResultsWriter,
    TrialState,
    find_damage,
    last_epochs,
    scan,
    schema_of,
    stored_config,
    trial_states,
    trials_touched,
    trials_with_holes,
)  # fmt: skip
from tic_sweep.sweep import TIC_SCORE


@dataclass(frozen=True, slots=True)
class KnownTrials:
    """The trials of a results folder; empty for a folder that does not exist yet."""

    folder: ResultsFolder | None = None
    manifest: Manifest | None = None
    states: Mapping[str, TrialState] = field(default_factory=dict)
    session: int = 0
    """The last session that has left rows."""
    damages: tuple[Damage, ...] = ()
    """Files whose rows are lost."""
    lost: frozenset[str] = frozenset()
    """Trials that lack rows of theirs, or may: whatever their state, they begin anew."""

    @classmethod
    def at(cls, place: Path) -> "KnownTrials":
        """Look into a results folder without touching it.

        Raises:
            StoreError: if something that is not a results folder lies there, or it cannot be read.
        """
        if not place.exists():
            return cls()
        if not ResultsFolder(place).manifest.exists():
            ResultsFolder.create(place)  # makes nothing where a folder exists, and refuses a foreign one
            return cls()
        folder = ResultsFolder.open(place)  # which asks for no right to write, and there may be none any more
        last = folder.last_session()  # before the rows: a session that ends meanwhile is one too many
        return cls(folder, Manifest.load(folder.manifest), trial_states(folder), last)

    @classmethod
    def checked(cls, place: Path) -> "KnownTrials":
        """Look into a results folder without touching it, and read every file of it for damage.

        Raises:
            StoreError: as `at`.
        """
        with _quiet():
            known = cls.at(place)
            if known.folder is None:
                return known
            damages = find_damage(known.folder)
            lost = trials_touched(known.folder, damages) | trials_with_holes(known.folder)
        return replace(known, damages=tuple(damages), lost=lost)

    def scan(self, table: str) -> pl.LazyFrame:
        """Return the rows of a table that can be read; what is damaged is known already."""
        if self.folder is None:
            return pl.LazyFrame(schema=schema_of(table))
        with _quiet():
            return scan(self.folder, table)

    def check_same(self, place: Path, sweep: str, scale: str) -> None:
        """Refuse to mix two sweeps in one folder.

        Raises:
            StoreError: if the folder holds another sweep, or another scale of it.
        """
        if self.manifest is not None and (self.manifest.sweep, self.manifest.scale) != (sweep, scale):
            raise StoreError(
                f"results folder {str(place)!r} holds the sweep {self.manifest.sweep} at scale {self.manifest.scale}: "
                f"give another folder with --results for {sweep} at scale {scale}."
            )

    def check_unchanged(self, writer: ResultsWriter) -> None:
        """Refuse to go on from what another session has changed since this was read.

        Args:
            writer: of this session, which nobody can write beside any more.

        Raises:
            StoreError: if one has written rows, or another manifest.
        """
        file = writer.folder.manifest
        manifest = Manifest.load(file) if file.exists() else None
        if writer.session > self.session + 1 or manifest != self.manifest:
            raise StoreError(
                f"another session has written to {str(writer.folder.root)!r} since this one looked into it: give the "
                f"command again."
            )

    def has_ended(self, key: str) -> bool:
        """Tell whether a trial has ended."""
        return key in self.states and self.states[key].status in ENDED and key not in self.lost

    @property
    def attempts(self) -> dict[str, int]:
        """How often each trial was started."""
        return {key: state.attempt for key, state in self.states.items()}

    @property
    def epochs(self) -> dict[str, int]:
        """Up to which epoch the rows of each trial go that has told any."""
        if self.folder is None:
            return {}
        with _quiet():
            return last_epochs(self.folder)

    @property
    def remarks(self) -> dict[str, str]:
        """What was mended, by the keys of the trials where something was."""
        told = self.scan("trials").filter(pl.col("remark").fill_null("") != "").select("key", "remark")
        return dict(told.collect().iter_rows())

    @property
    def software(self) -> list[Software]:
        """With what the trials ran that have been started, newest first."""
        names = list(Software._fields)
        ran = self.scan("trials").filter(pl.col("status") != "planned", pl.col("version").fill_null("") != "")
        newest = ran.group_by(pl.col(names).fill_null("")).agg(pl.col("session").max()).sort("session", descending=True)
        return [Software(*row) for row in newest.select(names).collect().iter_rows()]

    @property
    def counts(self) -> Counter[str]:
        """Number of trials by status."""
        return Counter(state.status for state in self.states.values())

    def trials(self, *, ended: bool) -> list[PlannedTrial]:
        """Return the trials that have ended, or those that have not, begun ones first, rebuilt from their rows."""
        wanted = pl.col("status").is_in(ENDED) & ~pl.col("key").is_in(self.lost)
        rows = self.scan("trials").filter(wanted if ended else ~wanted).sort("status", maintain_order=True).collect()
        begun_first = sorted(rows.iter_rows(named=True), key=lambda row: row["status"] == "planned")
        return [PlannedTrial(row["key"], stored_config(row)) for row in begun_first]

    def results(self, objective: str) -> list[KnownTrial]:
        """Return every trial with its status and last value of the objective, for a search to learn from."""
        if self.folder is None:
            return []
        epochs = self.scan("epochs")
        looks: dict[str, tuple[Look, ...]] = {}
        if objective == TIC_SCORE:
            values = dict(tic_scores(epochs, self.scan("trials")).collect().iter_rows())
            looks = looks_of(epochs, ("epoch", "ic", "ic_se"))
        else:
            last = epochs.sort("epoch").group_by("key").agg(pl.col(objective).last())
            values = dict(last.collect().iter_rows())
        both = [*self.trials(ended=True), *self.trials(ended=False)]
        return [KnownTrial(t.config, self.states[t.key].status, values.get(t.key), looks.get(t.key, ())) for t in both]


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out the warnings of damaged files: the session tells them in its own words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedFileWarning)
        yield

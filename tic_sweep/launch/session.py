"""A session: one start of the driver on one results folder, from what was asked to what was stored.

Everything a user can get wrong is found before the folder is made or anything is written. Then: plan, skip what has
ended in an earlier session, write the plan, and let a runner execute it until it is done or told to stop.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console

from tic_sweep.data import RawData, load_data
from tic_sweep.errors import StoreError
from tic_sweep.launch.carrying import Checkpoints, forget
from tic_sweep.launch.known import KnownTrials
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.optuna_search import Search
from tic_sweep.launch.packing import check_pack, pack_hint, run_packs_in_process
from tic_sweep.launch.preflight import (
    check_in_process,
    check_nodes,
    check_place,
    hints,
    plain_neurons,
    slots,
    this_machine,
)
from tic_sweep.launch.preparing import Prepared, datasets_of, manifest_of, prepare
from tic_sweep.launch.progress import Progress
from tic_sweep.launch.provenance import told_apart
from tic_sweep.launch.race import Race
from tic_sweep.launch.racing import race_of
from tic_sweep.launch.recorder import Listener, Recorder
from tic_sweep.launch.signals import Stop, stop_on_signals
from tic_sweep.launch.storage import check_storage, checkpoints_at, storage_of
from tic_sweep.launch.terminal import Terminal
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import ENDED
from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter, refuse_if_held
from tic_sweep.store.manifest import without_places
from tic_sweep.sweep import telling_fields
from tic_sweep.wandb_sink import WandbSink

if TYPE_CHECKING:
    from analysis.results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a session ended: the trials of the folder by status, and what went wrong on the way."""

    folder: ResultsFolder
    statuses: Mapping[str, int]
    total: int
    ran: int
    stop: Stop
    problems: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    """What went wrong and cost time alone."""

    @property
    def done(self) -> int:
        """Trials that have ended in any way but by an interruption."""
        return sum(self.statuses.get(status, 0) for status in ENDED)


Then: TypeAlias = Callable[[Ended], "Results | None"]
"""What to do when a session has ended and was not stopped, such as to write the report, before the mirror's own report
run takes it along; what it returns are the results as it opened them."""


def run_sweep(
    request: Request,
    options: Options,
    *,
    results: Path | None = None,
    command: str = "",
    console: Console | None = None,
    then: Then | None = None,
) -> Ended:
    """Run a sweep into its results folder, leaving out the trials that have ended there already.

    Args:
        request: what to run.
        options: how and where.
        results: the results folder; None is ``results/<sweep>-<scale>``.
        command: the command line to note in the manifest.
        console: where progress goes; None is the terminal.
        then: what to do with results that are all there; see `Then`.

    Raises:
        UserError: if something asked for cannot be done; nothing is written then.
    """
    prepared = prepare(request)
    place = (results or prepared.place).expanduser()
    check_place(place)
    known = _known(place)
    known.check_same(place, prepared.sweep.name, prepared.scale_name)
    if prepared.adaptive:
        todo = (known.trials(ended=True) if options.rerun else []) + known.trials(ended=False)
    else:
        todo = [trial for trial in prepared.trials if options.rerun or not known.has_ended(trial.key)]
    manifest = manifest_of(prepared, known.manifest, command, options)
    race = race_of(manifest, known, prepared.trials, todo)
    session = _Session(
        place, manifest, known, race.waiting if race else todo, options, console or Terminal(), prepared, race
    )
    return session.run(prepared.datasets, then)


def resume_sweep(
    results: Path,
    request: Request | None,
    options: Options,
    *,
    console: Console | None = None,
    then: Then | None = None,
) -> Ended:
    """Continue the trials of a results folder that have not ended, each from its last checkpoint.

    A sweep whose trials were all planned needs nothing but its folder. An adaptive one also goes on proposing, for
    which ``request`` must say what was asked for when it was started.

    Raises:
        UserError: if something asked for cannot be done; nothing is written then.
    """
    ResultsFolder.open(results)
    check_place(results)
    known = _known(results)
    assert known.manifest is not None  # noqa: S101 - `open` refuses a folder without one
    stored = storage_of(options, f"{known.manifest.sweep}-{known.manifest.scale}", known.manifest)
    manifest = replace(known.manifest, storage=stored)
    todo = known.trials(ended=False)
    adaptive = known.manifest.searcher != "random"
    if not adaptive and any(damage.table == "trials" for damage in known.damages):
        todo += _forgotten(known, request)
    prepared = prepare(request) if request is not None and adaptive else None
    datasets = prepared.datasets if prepared else datasets_of(todo)
    race = race_of(manifest, known, (), todo)
    todo = race.waiting if race else todo
    session = _Session(
        results, manifest, known, todo, replace(options, rerun=False), console or Terminal(), prepared, race
    )
    return session.run(datasets, then)


@dataclass(frozen=True, slots=True)
class _Session:
    """Everything a session knows before it touches anything."""

    place: Path
    manifest: Manifest
    known: KnownTrials
    todo: Sequence[PlannedTrial]
    options: Options
    console: Console
    prepared: Prepared | None
    race: Race | None

    def _search(self) -> Search | None:
        """Return the search of an adaptive sweep, which has learnt what the store knows."""
        if self.prepared is None or not self.prepared.adaptive:
            return None
        scale = self.prepared.scale
        return Search(scale, self.known.results(scale.objective), seed=scale.seeds[0])

    def run(self, datasets: Sequence[str], then: Then | None) -> Ended:
        """Check, then write, then run, then tell what came out."""
        began = time.monotonic()
        check_pack(self.options, adaptive=self.manifest.searcher != "random", raced=self.race is not None)
        search = self._search()
        if not self.todo and search is None:
            if self.known.folder is not None and self.known.damages:
                with ResultsWriter(self.known.folder) as writer:
                    self.known.check_unchanged(writer)
                    self._set_aside()
            ended = self._ended(Stop(), (), ran=0, mended=self._found())
            if then is not None:
                then(ended)
            return ended
        check_storage(self.manifest.storage, self.options)
        limit = self.options.stop_after
        data = {n: load_data(n, self.options.data, download=self.options.download) for n in datasets}
        with _machine(self.options) as (at_once, advice):
            apart = told_apart(self.known.software)
            for hint in filter(None, (*advice, plain_neurons(self.options), pack_hint(self.options), apart)):
                self.console.print(hint, soft_wrap=True, markup=False)
            folder = ResultsFolder.create(self.place)
            with ResultsWriter(folder) as writer:
                self.known.check_unchanged(writer)
                self.manifest.save(folder.manifest)
                left = None if limit is None else limit - (time.monotonic() - began)
                stop, recorder, sink = self._execute(writer, search, data, at_once, left)
            problems, mended = (*recorder.problems, *writer.problems), (*self._found(), *recorder.mended)
            ended = self._ended(stop, problems, ran=recorder.ran, mended=mended)
            if not stop:
                self._tell(ended, sink, then)
            return ended

    def _tell(self, ended: Ended, sink: WandbSink, then: Then | None) -> None:
        """Do what comes after the trials, and let the mirror take along what that has made."""
        results = None
        try:
            results = then(ended) if then is not None else None
        finally:
            with stop_on_signals():
                self._close(sink, report=True, results=results)

    def _close(self, sink: WandbSink, *, report: bool, results: "Results | None" = None) -> None:
        for line in sink.close(report=report, results=results):
            self.console.print(line, soft_wrap=True, markup=False)

    def _execute(
        self, writer: ResultsWriter, search: Search | None, data: Mapping[str, RawData], at_once: int,
        seconds: float | None,
    ) -> tuple[Stop, Recorder, WandbSink]:  # fmt: skip
        """Run the trials; the mirror is left open for the report unless the session was broken off."""
        manifest, options = self.manifest, self.options
        progress = Progress(manifest.sweep, self._total(), console=self.console, varied=self._labels())
        progress.expect(self.todo, done=self._done_before())
        sink = WandbSink(options.wandb, writer.folder, manifest.sweep, manifest.scale, self._labels())
        listeners: list[Listener] = [progress, sink, *(one for one in (search, self.race) if one is not None)]
        recorder = Recorder(
            writer, manifest.sweep, manifest.scale,
            attempts=self.known.attempts, remarks=self.known.remarks, epochs=self.known.epochs,
            gpus_per_trial=options.gpus_per_trial,
            listeners=listeners, say=lambda line: self.console.print(line, soft_wrap=True, markup=False),
            circumstance=json.dumps(asdict(options.trial_resources)), command=without_places(manifest.command),
        )  # fmt: skip
        checkpoints = checkpoints_at(manifest.storage, options, writer.folder.checkpoints)
        self._plan_into(recorder, checkpoints)
        proposals = _announced(search, recorder)
        if self.race is not None:
            self.race.proposals = proposals or iter(())
            self.race.dismiss = lambda trial, outcome: recorder.ended(trial.key, outcome)
        through = False
        with stop_on_signals(seconds) as stop:
            try:
                with progress:
                    self._run(recorder, proposals, data, at_once, checkpoints, stop)
                through = True
            finally:
                if stop:
                    recorder.interrupted(f"stopped by {stop.name}")
                writer.flush()
                if stop or not through:
                    self._close(sink, report=False)
        return stop, recorder, sink

    def _run(
        self, recorder: Recorder, proposals: Iterator[PlannedTrial] | None, data: Mapping[str, RawData],
        at_once: int, checkpoints: Checkpoints, stop: Stop,
    ) -> None:  # fmt: skip
        folder = recorder.writer.folder
        if self.options.in_process:
            from tic_sweep.launch.in_process import run_in_process

            assert isinstance(checkpoints, Path)  # noqa: S101 - `check_storage` has refused anything else
            if self.options.pack > 1:
                run_packs_in_process(
                    self.todo, size=self.options.pack, recorder=recorder, data=data,
                    resources=self.options.trial_resources, checkpoints=checkpoints, stop=stop,
                )  # fmt: skip
                return
            run_in_process(
                self.race or chain(self.todo, proposals or ()), recorder=recorder, data=data,
                resources=self.options.trial_resources, checkpoints=checkpoints, stop=stop, race=self.race,
            )  # fmt: skip
            return
        from tic_sweep.launch.cluster import ray_logs_to
        from tic_sweep.launch.ray_tune import run_on_ray

        with ray_logs_to(folder.tune / "ray.log"):
            run_on_ray(
                self.todo, proposals, recorder=recorder, data=data, options=self.options, slots=at_once,
                scratch=folder.tune, session=recorder.writer.session, checkpoints=checkpoints, stop=stop,
                race=self.race,
            )  # fmt: skip

    def _plan_into(self, recorder: Recorder, checkpoints: Checkpoints) -> None:
        """Write the plan; a trial that ended before and is to run again, or has lost rows, starts from nothing.

        Only then are damaged files set aside: until the plan says it, they are what tells that something is lost. One
        that was stopped early, and goes on now that the race would let it, has not ended before.
        """
        costly = any(damage.costs_trials for damage in self.known.damages)
        for trial in self.todo:
            again = self.options.rerun and self.known.has_ended(trial.key)
            again |= trial.key in self.known.lost or (costly and trial.key not in self.known.states)
            if again:
                forget(checkpoints, trial.key)
            if trial.key in self.known.states and not again:
                recorder.expect([trial])
            else:
                recorder.planned(trial)
        recorder.writer.flush()
        if not recorder.writer.refused:
            self._set_aside()

    def _set_aside(self) -> None:
        for damage in self.known.damages:
            damage.set_aside()

    def _found(self) -> list[str]:
        """Return what was found to be damaged when the session began, a line each."""
        root = self.place.absolute()
        lines = [f"{d.path.relative_to(root)} was damaged, and is set aside." for d in self.known.damages]
        again = sum(trial.key in self.known.lost for trial in self.todo)
        return [*lines, f"{again} trials had lost rows, and were computed again."] if again else lines

    def _done_before(self) -> dict[str, str]:
        again = {trial.key for trial in self.todo}
        return {key: state.status for key, state in self.known.states.items() if key not in again}

    def _labels(self) -> tuple[str, ...]:
        """Return the fields that name a trial in the terminal."""
        if self.manifest.searcher != "random":
            return self.manifest.varied
        return telling_fields([trial.config for trial in self.todo], self.manifest.varied)

    def _total(self) -> int:
        planned = len(self.known.states.keys() | {trial.key for trial in self.todo})
        return max(planned, self.manifest.samples if self.manifest.searcher != "random" else 0)

    def _ended(self, stop: Stop, problems: Sequence[str], *, ran: int, mended: Sequence[str] = ()) -> Ended:
        now = KnownTrials.at(self.place)
        assert now.folder is not None  # noqa: S101 - the session made or opened it
        return Ended(
            folder=now.folder, statuses=now.counts, total=max(len(now.states), self._total()), ran=ran,
            stop=stop, problems=tuple(problems), mended=tuple(mended),
        )  # fmt: skip


@contextmanager
def _machine(options: Options) -> Iterator[tuple[int, list[str]]]:
    """Check that the machine or cluster can run the trials; yield how many at once, and what is worth a hint."""
    if options.in_process:
        check_in_process(options)
        yield 1, []
        return
    if options.address is None:
        check_nodes([this_machine(options)], options)  # at once, before Ray takes its seconds to start
    from tic_sweep.launch.cluster import open_cluster, ray_cluster

    with ray_cluster(options) as nodes:
        check_nodes(nodes, options)
        yield slots(nodes, options), [*hints(nodes, options), *open_cluster(nodes, options)]


def _known(place: Path) -> KnownTrials:
    """Return what a results folder holds, checked for damage, if nobody else is writing there.

    Raises:
        StoreError: if somebody is, at once and not only when Ray has started, or nothing can be read there.
    """
    refuse_if_held(place / "lock")
    return KnownTrials.checked(place)


def _forgotten(known: KnownTrials, request: Request | None) -> list[PlannedTrial]:
    """Return the trials of the plan of which no row is left.

    Raises:
        StoreError: if nothing says how they were planned.
    """
    if request is None:
        raise StoreError(
            "rows of the table trials are lost, and nothing says which trials were planned: give `tic-sweep run` "
            "again with the sweep and --results."
        )
    return [trial for trial in prepare(request).trials if trial.key not in known.states]


def _announced(search: Search | None, recorder: Recorder) -> Iterator[PlannedTrial] | None:
    """Store each proposal as planned before it runs."""
    if search is None:
        return None

    def announce() -> Iterator[PlannedTrial]:
        for trial in search:
            recorder.planned(trial)
            yield trial

    return announce()

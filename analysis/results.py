"""`open_results`: the tables of one or many results folders as lazy frames."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from analysis.fields import VARIANT, catalogue_of, determining, variant_of_trials, varied_columns
from analysis.partition import PART, Partition
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store import Manifest, Problems, Reading

EMPTY = Problems("").frame()
Asked = TypeVar("Asked", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Results:
    """A look at the results of one or more sweeps at one moment; open them again to see what has come since."""

    manifests: tuple[Manifest, ...]
    trials: pl.LazyFrame
    """One row per trial: its state, its provenance, its config by dotted paths, and its `variant_of_trials`."""
    epochs: pl.LazyFrame
    """One row per trial and epoch reported."""
    fisher: pl.LazyFrame
    """One row per trial, epoch, part of the network and horizon t."""
    horizons: pl.LazyFrame
    """One row per trial, epoch and horizon t: validation accuracy and loss."""
    dynamics: pl.LazyFrame
    """One row per trial, epoch, layer and timestep: firing and gradient flow."""
    deficits: pl.LazyFrame
    """One row per trial, epoch and window of timesteps with noise."""
    robustness: pl.LazyFrame
    """One row per trial, epoch, corruption and strength."""
    pruning: pl.LazyFrame
    """One row per trial and pruning cycle, the first training being cycle 0."""
    sparsity: pl.LazyFrame
    """One row per trial, pruning cycle and layer."""
    toy: pl.LazyFrame
    """One row per block of toy problems, learning rate and problem."""
    toy_curves: pl.LazyFrame
    """One row per block of toy problems, learning rate and update."""
    sequences: pl.LazyFrame
    """One row per trial of task sequences and epoch: test accuracy, spread and whole delays, firing."""
    delays: pl.LazyFrame
    """One row per trial, epoch and layer with delays: which synapses exist, how they turn over, their delays."""
    synapses: pl.LazyFrame
    """One row per trial, epoch and synapse, at the epochs asked for: of these receptive fields are made."""
    summaries: pl.LazyFrame
    """One row per trial that had ended when the folder was tidied; `analysis.summaries.per_trial` says which hold."""
    readings: tuple[Reading, ...] = ()
    """Where the tables come from, one folder each."""

    @cached_property
    def held(self) -> "Results":
        """The same results with the trials in memory: every section of a report asks for them."""
        return dataclasses.replace(self, trials=self.trials.collect().lazy())

    @cached_property
    def worked_out(self) -> dict[Any, Any]:
        """What functions that are asked `once` have found in these results."""
        return {}

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """Dotted paths of the config fields in which the trials differ or will, the seed aside."""
        declared = [path for manifest in self.manifests for path in manifest.varied]
        return tuple(dict.fromkeys([*declared, *varied_columns(self.trials)]))

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """Columns that tell one setting from another: `varied` without fields that follow from the others.

        The last of them is what lines and rows are compared over, those before it are context. Results in which
        nothing varies are one setting per sweep. Where both fields of the gradient vary, ``variant`` stands for them.
        """
        both = set(VARIANT) <= set(self.varied)
        paths = ["variant" if both and path in VARIANT else path for path in self.varied]
        return determining(self.trials, list(dict.fromkeys(paths))) or ("sweep",)

    def where(self, chosen: pl.Expr) -> "Results":
        """Return the part of the results that belongs to some of the trials."""
        trials = self.trials.filter(chosen)
        own = trials.select("key")
        others = {
            table: getattr(self, table).join(own, on="key", how="semi", maintain_order="left")
            for table in TABLES
            if table != "trials"
        }
        return dataclasses.replace(self, trials=trials, **others)

    def contexts(self, *without: str) -> tuple[str, ...]:
        """Return the columns that tell settings apart when some are left out, those that are to be compared."""
        return determining(self.trials, [path for path in self.varied if path not in without])

    def parts(self, paths: Sequence[str]) -> Iterator[tuple[dict[str, Any], "Results"]]:
        """Yield, for each setting of some columns, the setting and its part of the results; all, if there are none."""
        if not paths:
            yield {}, self
            return
        trials = self.trials.collect()
        settings = trials.select(*paths).unique().sort(*paths).with_row_index(PART)
        owned = trials.join(settings, on=list(paths), how="left", nulls_equal=True, maintain_order="left")
        own = owned.partition_by(PART, as_dict=True, include_key=False)
        tables = {t: Partition(getattr(self, t), owned.select("key", PART)) for t in TABLES if t != "trials"}
        for number, *values in settings.iter_rows():
            others = {table: partition.part(number) for table, partition in tables.items()}
            part = dataclasses.replace(self, trials=own[number,].lazy(), **others)
            yield dict(zip(paths, values, strict=True)), part

    @cached_property
    def problems(self) -> pl.DataFrame:
        """What could not be read as it is declared, counted; empty if all is well.

        Columns: folder, table, file, problem and count, which counts what the words of ``problem`` begin with:
        segments or lines of the journal that are damaged and passed over; rows of a segment that is passed over since
        a column has another type than the declared one; segments or lines with a column, or of a table, that a newer
        version has added and this one leaves out; rows without a trial, which are kept. Of a remote folder this
        fetches every table.
        """
        return self.problems_in(None)

    def problems_in(self, tables: Collection[str] | None) -> pl.DataFrame:
        """Return the `problems` of some tables alone; None is all."""
        return pl.concat([EMPTY, *(reading.problems(tables) for reading in self.readings)])

    def describe(self, *, rows: bool = False) -> pl.DataFrame:
        """Return the catalogue of all tables and columns.

        Columns: table, column, type, unit, meaning, and what values a field of the config may have (``bounds``, empty
        for what is measured); with ``rows`` also how many rows the table has, which counts them.
        """
        catalogue = catalogue_of(TABLES)
        if not rows:
            return catalogue
        counts = [frame.item() for frame in pl.collect_all([getattr(self, table).select(pl.len()) for table in TABLES])]
        table_rows = pl.DataFrame({"table": list(TABLES), "rows": counts}, schema_overrides={"rows": pl.Int64})
        return catalogue.join(table_rows, on="table", how="left", maintain_order="left")


def once(function: Asked) -> Asked:
    """Work a function of results, and of what can be hashed or listed, out once: what they hold does not change.

    Sections, claims and the mirror of a sweep ask for the same; whoever gets an answer leaves it as it is.
    """

    @wraps(function)
    def asked(results: Results, *arguments: Any) -> Any:
        question = (function, *(tuple(one) if isinstance(one, list) else one for one in arguments))
        if question not in results.worked_out:
            results.worked_out[question] = function(results, *arguments)
        return results.worked_out[question]

    return asked  # type: ignore[return-value] - the same parameters, by place


def open_results(paths: str | Path | Sequence[str | Path]) -> Results:
    """Open one results folder or several, a finished sweep's or a running one's, here or in an object store.

    A folder is named by its path or by its URL: ``s3://bucket/prefix/results/tic-laptop``, ``gs://``, ``abfs://``,
    ``hdfs://`` or ``file://``, read by pyarrow's file systems, with the credentials, region and ``AWS_ENDPOINT_URL`` of
    the environment. Opening lists a remote folder and reads its manifest and journals; a table's segments are fetched
    when it is first used and kept in a local cache, since they never change (`tic_sweep.store.remote`).

    A trial that lies in several folders counts once: where it finished, else in the first folder that has it.

    Raises:
        StoreError: if one of them is no results folder or cannot be read, or there is none.
    """
    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not listed:
        raise StoreError("no results folder is given: give the path of at least one.")
    readings = tuple(Reading.open(path) for path in listed)
    manifests = tuple(reading.manifest for reading in readings)
    frames = {table: [reading.tables[table] for reading in readings] for table in TABLES}
    frames["trials"] = [trials.with_columns(variant_of_trials()) for trials in frames["trials"]]
    if len(readings) == 1:
        return Results(manifests, **{table: own for table, (own,) in frames.items()}, readings=readings)
    tagged = {table: _tagged(own) for table, own in frames.items()}
    trials = tagged.pop("trials")
    finished_first = trials.sort(pl.col("status") != "finished", "folder", maintain_order=True)
    chosen = finished_first.unique("key", keep="first", maintain_order=True)
    owners = chosen.select("key", "folder")
    others = {
        table: frame.join(owners, on=["key", "folder"], how="semi").drop("folder") for table, frame in tagged.items()
    }
    trials = chosen.sort("folder", maintain_order=True).drop("folder")
    return Results(manifests, trials=trials, **others, readings=readings)


def _tagged(frames: list[pl.LazyFrame]) -> pl.LazyFrame:
    return pl.concat([frame.with_columns(folder=pl.lit(i)) for i, frame in enumerate(frames)])

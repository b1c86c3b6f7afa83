"""The run of a sweep's report: its tables and claims, its figures, and its files as artifacts."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tic_sweep.store import Manifest, ResultsFolder
from tic_sweep.wandb_sink.client import Client, NotTakenError, imported, staging_in, summarise
from tic_sweep.wandb_sink.naming import Naming

if TYPE_CHECKING:
    import wandb

    from analysis.report_sections import Filled
    from analysis.results import Results

CHECKPOINTS = ("best", "all", "none")
"""Which trials' training states become artifacts."""
BEST = 10
"""The most checkpoints that ``best`` takes, one per setting: a sweep may have as many settings as trials."""


def mirror_report(
    client: Client,
    naming: Naming,
    results: "Results | None" = None,
    *,
    figures: bool = False,
    checkpoints: str = "best",
) -> None:
    """Write the run of a results folder's report; what an earlier one with its id held is replaced.

    Args:
        client: opens the run.
        naming: of the sweep.
        results: those of the folder, if they are open.
        figures: whether the sections of report.html are part of it, too, their figures as interactive charts.
        checkpoints: best (of each setting the trial with the best validation accuracy, `BEST` at most), all or none.
    """
    import analysis
    from analysis.claims import check_claims
    from analysis.tables import count_by_status, finding, summary

    folder = client.folder
    results = results or analysis.open_results(folder.root).held
    manifest = Manifest.load(folder.manifest)
    config = {"sweep": manifest.sweep, "scale": manifest.scale, "varied": list(manifest.varied)}
    config |= {"seeds": list(manifest.seeds), "version": manifest.version}
    frames = {"summary": summary(results), "claims": check_claims(results)}
    counts = {f"trials/{status}": count for status, count in count_by_status(results).items() if count}
    spec = naming.report(config, manifest.question)
    try:
        run = client.open(spec)
    except NotTakenError:
        client.fall_back()
        run = client.open(spec)
    try:
        with staging_in(folder.wandb):
            run.log({f"report/{name}": _table(frame) for name, frame in frames.items() if not frame.is_empty()})
            for charts in _sections(results) if figures else ():
                run.log(charts)
            for artifact in _artifacts(run, folder, naming, results, checkpoints):
                run.log_artifact(artifact)
        summarise(run, counts | {"finding": finding(results)})
    finally:
        client.finish(run)


def chosen_checkpoints(results: "Results", folder: ResultsFolder, which: str) -> list[dict[str, Any]]:
    """Return key, seed and val_acc of the trials whose checkpoints are kept, the best first; see `mirror_report`."""
    if which == "none":
        return []
    trials = results.trials.with_columns(acc=pl.coalesce("best_val_acc", "val_acc"))
    ranked = trials.sort("acc", descending=True, nulls_last=True, maintain_order=True)
    if which == "best":
        finished = ranked.filter(pl.col("acc").is_not_null(), pl.col("status") == "finished")
        ranked = finished.unique(list(results.settings), keep="first", maintain_order=True).head(BEST)
    rows = ranked.select("key", "seed", val_acc="acc").collect().to_dicts()
    return [row for row in rows if (folder.checkpoints / f"{row['key']}.pt").exists()]


def _sections(results: "Results") -> Iterator[dict[str, Any]]:
    """Yield the sections of the report, figures as charts and tables as they are read."""
    from analysis.report_sections import filled

    for one in filled(results):
        yield _section(one)


def _section(one: "Filled") -> dict[str, Any]:
    wandb, charts = imported(), {}
    if one.figure:
        charts[f"figures/{one.section.id}"] = wandb.Plotly(one.figure)
    if one.texts:
        rows = [[cell if isinstance(cell, str) else _cell(cell.text, cell.small) for cell in r] for r in one.texts.rows]
        charts[f"report/{one.section.id}"] = wandb.Table(columns=_unique(one.texts.heads), data=rows)
    return charts


def _table(frame: pl.DataFrame) -> "wandb.Table":
    """Return a frame as a W&B table; what is no number, text or truth value is told as text."""
    plain = [_plain(column) for column in frame.iter_columns()]
    return imported().Table(columns=frame.columns, data=[list(row) for row in pl.DataFrame(plain).rows()])


def _plain(column: pl.Series) -> pl.Series:
    if column.dtype.is_numeric() or column.dtype in (pl.String, pl.Boolean):
        return column
    return pl.Series(column.name, [None if value is None else str(value) for value in column.to_list()], pl.String)


def _cell(text: str, small: str) -> str:
    return f"{text} ({small})" if small else text


def _unique(heads: Sequence[str]) -> list[str]:
    """Return heads of a table's columns as names, which W&B wants to differ and to be strings."""
    names: list[str] = []
    for i, head in enumerate(heads):
        names.append(head if head and head not in names else f"{head} {i + 1}".strip())
    return names


def _artifacts(
    run: "wandb.Run", folder: ResultsFolder, naming: Naming, results: "Results", checkpoints: str
) -> Iterator["wandb.Artifact"]:
    """Yield the sweep's files: one artifact of its tables, manifest and report, one of each checkpoint."""
    wandb, copies = imported(), Path(run.settings.sync_dir) / "copies"
    artifact = wandb.Artifact(f"{naming.group}-results", type="results", description="`analysis.open_results` opens it")
    for file in _result_files(folder):
        name = file.relative_to(folder.root)
        artifact.add_file(str(_kept(file, copies / name)), name=name.as_posix(), policy="immutable", skip_cache=True)
    yield artifact
    for row in chosen_checkpoints(results, folder, checkpoints):
        file = folder.checkpoints / f"{row['key']}.pt"
        artifact = wandb.Artifact(f"{naming.group}-{row['key']}", type="checkpoint", metadata=row)
        artifact.add_file(str(_kept(file, copies / file.name)), name=file.name, policy="immutable", skip_cache=True)
        yield artifact


def _result_files(folder: ResultsFolder) -> list[Path]:
    tables = [file for file in folder.tables.rglob("*.parquet") if not file.name.startswith(".")]
    others = [folder.manifest, folder.report, *folder.journals()]
    return [file for file in [*others, *sorted(tables)] if file.exists()]


def _kept(file: Path, copy: Path) -> Path:
    """Return a name of a file's present content that stays when the file is replaced: W&B reads it when it uploads."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    linked = False
    if file.suffix != ".jsonl":  # a journal grows in its place; all else is replaced as a whole
        with suppress(OSError):
            os.link(file, copy)
            linked = True
    if not linked:
        shutil.copyfile(file, copy)
    return copy

"""A tidy archive of results, for people without this program: tables, what their columns mean, claims, a summary."""

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

import tic_sweep
from analysis.claims import check_claims
from analysis.results import Results
from analysis.tables import summary, toy_summary
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store import Manifest
from tic_sweep.store.addresses import refuse_url
from tic_sweep.store.manifest import without_places

MARK = "columns.csv"
"""The file by which an archive is known."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of all members of a zip file, so that the same results give the same archive."""


def export(results: Results, out: str | Path, *, csv: bool = False, force: bool = False) -> Path:
    """Write an archive of results, a zip file if the name ends in ``.zip``, else a folder, and return its path.

    It holds ``tables/<table>.parquet`` (with ``csv`` also ``.csv``) of each table with rows, ``columns.csv``, the
    catalogue of their columns with units and meaning, ``sweep.json``, ``claims.json``, ``summary.csv`` (and
    ``toy_summary.csv``), ``problems.csv`` if something could not be read, and README.txt. Beyond what is in the
    columns (``host``, ``reason``) it names no machine and no path. It appears whole or not at all.

    Raises:
        StoreError: if ``out`` is a URL, if it is there already and ``force`` is not given, if what is there is no
            archive, or if the disk refuses.
    """
    refuse_url(out, "archive", "file or folder")
    place = Path(out).expanduser().absolute()
    is_zip = place.suffix.lower() == ".zip"
    _check_free(place, is_zip=is_zip, force=force)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as scratch:
            content = Path(scratch) / "content"
            content.mkdir()
            _write(results, content, csv=csv)
            if is_zip:
                _zipped(content, Path(scratch) / "zip").replace(place)
            else:
                if place.exists():
                    shutil.rmtree(place)
                content.replace(place)
    except OSError as error:
        raise StoreError(
            f"{str(out)!r} cannot be written ({error.strerror}): give a place you may write to."
        ) from error
    return place


def _check_free(place: Path, *, is_zip: bool, force: bool) -> None:
    if not place.exists():
        return
    if not force:
        raise StoreError(f"{str(place)!r} exists already: give another name, or --force to replace it.")
    archive = (place.is_file() and zipfile.is_zipfile(place)) if is_zip else (place / MARK).is_file()
    empty = place.is_dir() and not is_zip and not any(place.iterdir())
    if not archive and not empty:
        raise StoreError(f"{str(place)!r} is no archive of results and is not replaced: give another name.")


def _write(results: Results, folder: Path, *, csv: bool) -> None:
    rows: dict[str, int] = {}
    (folder / "tables").mkdir()
    for table in TABLES:
        frame = getattr(results, table).collect()
        if not frame.height:
            continue
        rows[table] = frame.height
        frame.write_parquet(folder / "tables" / f"{table}.parquet", compression="zstd")
        if csv:
            frame.write_csv(folder / "tables" / f"{table}.csv")
    catalogue = results.describe().filter(pl.col("table").is_in(list(rows)))
    catalogue.write_csv(folder / MARK)
    manifests = [_without_places(manifest) for manifest in results.manifests]
    _write_json(folder / "sweep.json", manifests[0] if len(manifests) == 1 else manifests)
    _write_json(folder / "claims.json", check_claims(results).to_dicts())
    for name, frame in (("summary", summary(results)), ("toy_summary", toy_summary(results))):
        if frame.height or name == "summary":
            frame.write_csv(folder / f"{name}.csv")
    problems = results.problems.with_columns(pl.col("folder").map_elements(_last, return_dtype=pl.String))
    if problems.height:
        problems.write_csv(folder / "problems.csv")
    (folder / "README.txt").write_text("\n".join(_readme(results, rows, problems, csv=csv)) + "\n", encoding="utf-8")


def _readme(results: Results, rows: dict[str, int], problems: pl.DataFrame, *, csv: bool) -> Iterator[str]:
    yield f"Results of tic_sweep, exported by version {tic_sweep.__version__}."
    yield ""
    for manifest in results.manifests:
        yield f"Sweep {manifest.sweep} ({manifest.scale}), run by version {manifest.version or 'unknown'}:"
        yield f"  {manifest.question}"
    yield ""
    yield "sweep.json      what was asked: question, space, seeds, the sweep's own file, the command"
    yield "summary.csv     one row per setting, over its seeds: means, standard deviations, 95 % intervals"
    yield "claims.json     the papers' claims that these results can settle, with verdict and interval"
    yield "columns.csv     every column below: table, type, unit, meaning, and what values a setting may have"
    if problems.height:
        yield "problems.csv    what could not be read of the results, counted"
    yield ""
    for table, height in rows.items():
        files = f"tables/{table}.parquet" + (f", tables/{table}.csv" if csv else "")
        yield f"{files}: {height} rows"
    yield ""
    yield "Tables are joined by the column key, the trial's name. session and seq say in which order rows were written."
    yield 'Read one in Python: polars.read_parquet("tables/epochs.parquet").'


def _without_places(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest's fields without the folders, machines and stores of whoever gave the command."""
    return manifest.values | {"command": without_places(manifest.command), "storage": ""}


def _last(place: str) -> str:
    return place.rstrip("/").rpartition("/")[2]


def _write_json(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(str(path.relative_to(folder)), _EPOCH)
            member.compress_type = zipfile.ZIP_STORED if path.suffix == ".parquet" else zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink, 2**20)
    return target

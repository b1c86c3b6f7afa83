"""The report of a sweep: one HTML file that opens anywhere, without a network, while the sweep runs or after."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import polars as pl

from analysis.claims import check_claims
from analysis.curves import mean_curves
from analysis.explorer import POINTS
from analysis.fields import label_of, name_of, text_of
from analysis.finding import transition_text, with_spread
from analysis.first_trainings import first_trainings
from analysis.report_assets import embedded, safe, scripts_of, style_of
from analysis.report_explorer import explorer_of
from analysis.report_sections import Filled, filled
from analysis.report_texts import claim_texts, compares_variants
from analysis.results import Results, open_results
from analysis.sections import Cell, Texts
from analysis.tables import count_by_status, finding, summary
from analysis.verdicts import Ruling
from tic_sweep.config import field_rules
from tic_sweep.errors import StoreError
from tic_sweep.records import BADLY, ENDED, STATUSES
from tic_sweep.store import Manifest, ResultsFolder
from tic_sweep.store.addresses import Address, local_path, refuse_url
from tic_sweep.store.atomic import write_atomically
from tic_sweep.transition import CONFIRM, DROP, PLATEAU

LISTED = 50
"""Trials without success that are listed one by one."""
SHOWN = 20
"""Settings beyond which the summary table is folded away, since the figures say it better."""
ROWS = 200
"""Rows of a table beyond which the rest is left to `tic-sweep` and to the explorer."""
LINES = 4
"""Lines of the finding beyond which the rest is folded away: the explorer says it better."""
SPARK = (120, 32)
"""Width and height of a row's small curve, in pixels."""


def write_report(place: str | Path, out: Path | None = None, results: Results | None = None) -> Path:
    """Write the report of a results folder, near or far, and return its path.

    Args:
        place: path or URL of the folder.
        out: file to write; None is report.html in the folder, which then has to lie here.
        results: those of the folder, if they are open; what has been asked of them is not worked out again.

    Raises:
        StoreError: if it is no results folder, or the report cannot be written.
    """
    if out is not None:
        refuse_url(out, "report", "file")
    target = out or _place_in(place)
    page = render_report(results or open_results(place).held)
    try:
        write_atomically(target, page.encode())
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}): free or allow space there.") from error
    return target


def _place_in(place: str | Path) -> Path:
    path = local_path(place)
    if path is None:
        raise StoreError(f"{Address.parse(place).name} is only read: say where the report is to be written.")
    return ResultsFolder.open(path).report


def render_report(results: Results) -> str:
    """Return the report as HTML."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    table = summary(results)
    sections = [_section(one) for one in filled(results)]
    toys = "toys" in {section["id"] for section in sections}
    explorer = _explorer(results)
    figures = any(section["figure"] for section in sections)
    return environment.get_template("report.html.j2").render(
        manifest=results.manifests[0],
        claims=claim_texts(check_claims(results)),
        finding=finding(results),
        counts=_counts(results),
        images=not table.is_empty() or not toys,
        pruned=first_trainings(results) is not results,
        setting_names=[name_of(path) for path in results.settings],
        rows=_rows(results, table.head(ROWS)),
        settings=table.height,
        explorer=explorer,
        toys=toys,
        variants=compares_variants(results),
        sections=sections,
        failures=_failures(results),
        listed=LISTED,
        shown=SHOWN,
        lines=LINES,
        most=ROWS,
        provenance=_provenance(results),
        fixed=_fixed(results.manifests[0]),
        definition={"drop": DROP, "plateau": PLATEAU, "confirm": CONFIRM},
        statuses=STATUSES,
        rulings=get_args(Ruling),
        spark=SPARK,
        drawn=figures or bool(explorer),
        style=style_of(explorer=bool(explorer)),
        scripts=scripts_of(figures=figures, explorer=bool(explorer)),
    )


def _explorer(results: Results) -> dict[str, Any] | None:
    """Return the explorer as the page needs it: its figures and its data as JSON."""
    found = explorer_of(results)
    if found is None:
        return None
    axes = found["axes"]
    return found | {
        "axes": embedded(axes) if axes else "",
        "wide": len(axes.data[0].dimensions) if axes else 0,
        "curves": embedded(found["curves"]),
        "json": safe(json.dumps(found["data"], separators=(",", ":"), ensure_ascii=False)),
        "points": POINTS,
        "relative": "T − 1" in found["curves"].layout.yaxis.title.text,
    }


def _section(one: Filled) -> dict[str, Any]:
    """Return a section as the page needs it: its words, its figure as JSON, its table's cells with their kinds."""
    section = one.section
    return {
        "id": section.id, "title": section.title, "caption": one.caption,
        "figure": embedded(one.figure) if one.figure else "", "film": bool(one.figure and one.figure.frames),
        "table": _table(one.texts) if one.texts else None,
    }  # fmt: skip


def _table(texts: Texts) -> dict[str, Any]:
    """Return a table with the kind of each of its columns (name, number or words), and all cells as cells."""
    kinds = [
        "name" if i < texts.numbers else "words" if i in texts.words else "number" for i in range(len(texts.heads))
    ]
    rows = [
        [(kind, cell if isinstance(cell, Cell) else Cell(text=cell)) for kind, cell in zip(kinds, row, strict=True)]
        for row in texts.rows
    ]
    heads = list(zip(kinds, texts.heads, strict=True))
    return {"caption": texts.caption, "heads": heads, "rows": rows[:ROWS], "all": len(rows), "note": texts.note}


def _counts(results: Results) -> dict[str, int]:
    """Return how many trials there are and how many have ended, and the count of each status that occurs."""
    by_status = count_by_status(results)
    ended = sum(by_status[status] for status in ENDED)
    return {"all": sum(by_status.values()), "ended": ended} | {s: n for s, n in by_status.items() if n}


def _rows(results: Results, table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of the summary table as texts."""
    by = list(results.settings)
    curves = mean_curves(results.epochs, results.trials, by, "ic").group_by(*by, maintain_order=True).agg("mean")
    joined = table.join(curves.collect(), on=by, how="left", nulls_equal=True, maintain_order="left")
    return [_texts(row, by) for row in joined.iter_rows(named=True)]


def _texts(row: Mapping[str, Any], by: list[str]) -> dict[str, Any]:
    accuracy = "best_test_acc"
    return {
        "setting": [text_of(row[path]) for path in by],
        "ic": [with_spread(row[f"ic_{part}_mean"], row[f"ic_{part}_sd"], 2) for part in ("start", "max", "final")],
        "ic_interval": _interval(row, "ic_final", 2),
        "transition": transition_text(row),
        "transition_interval": _interval(row, "transition", 1),
        "turned": f"{row['n_turned']} of {row['n_followed']}" if row["n_followed"] else "–",
        "accuracy": with_spread(row[f"{accuracy}_mean"], row[f"{accuracy}_sd"], 3),
        "accuracy_interval": _interval(row, accuracy, 3),
        "statuses": [(row[f"n_{status}"], status.replace("_", " ")) for status in STATUSES if row[f"n_{status}"]],
        "spark": _spark(row["mean"] or [], row["timesteps"]),
    }


def _interval(row: Mapping[str, Any], name: str, digits: int) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return "" if low is None else f"{low:.{digits}f} to {high:.{digits}f}".replace("-", "−")


def _spark(ic: list[float], timesteps: int) -> str:
    """Return the points of a small curve of IC over epochs, 1 at the bottom and T at the top."""
    width, height = SPARK
    across, up = (width - 4) / max(len(ic) - 1, 1), (height - 4) / max(timesteps - 1, 1)
    return " ".join(f"{2 + i * across:.1f},{height - 2 - (value - 1) * up:.1f}" for i, value in enumerate(ic))


def _failures(results: Results) -> dict[str, Any]:
    """Return the trials that ended without success, with their reasons, and how many there are."""
    found = results.trials.filter(pl.col("status").is_in([*BADLY, "interrupted"])).collect()
    rows = [
        {
            "key": row["key"], "setting": label_of({path: row[path] for path in results.settings}), "seed": row["seed"],
            "status": row["status"].replace("_", " "), "epochs": row["epochs_done"], "reason": row["reason"],
        }
        for row in found.head(LISTED).iter_rows(named=True)
    ]  # fmt: skip
    return {"rows": rows, "count": found.height}


def _provenance(results: Results) -> dict[str, str]:
    """Return what ran where, for how long; values that differ between trials are listed."""
    trials = results.trials.collect()
    told = {
        "Version of tic_sweep": _distinct(trials["version"]),
        "Commit": _distinct(trials["git_commit"]),
        "Packages": _distinct(trials["packages"]),
        "Devices": _distinct(trials["device"]),
        "Processors": _distinct(trials["processor"]),
        "System": _distinct(trials["system"]),
        "Machines": str(trials["host"].replace("", None).drop_nulls().n_unique()),
        "Time in trials": _duration(sum(trials["wall_seconds"].drop_nulls().to_list())),
        "GPU time": _duration(sum(trials["gpu_seconds"].drop_nulls().to_list())),
        "Command": results.manifests[0].command,
    }
    return {name: text for name, text in told.items() if text}


def _distinct(values: pl.Series) -> str:
    return "; ".join(values.replace("", None).drop_nulls().unique(maintain_order=True).to_list())


def _duration(seconds: float) -> str:
    if not seconds:
        return ""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {whole % 60:02} s"


def _fixed(manifest: Manifest) -> list[tuple[str, str, str]]:
    """Return the fields that all trials share: path, value with unit, meaning."""
    rules = field_rules()
    return [
        (path, f"{text_of(value)} {rules[path].unit}".strip(), rules[path].doc)
        for path, value in manifest.fixed.items()
        if path in rules
    ]

"""Table 1 as LaTeX and as CSV: accuracies under corruptions, their distance from the clean one, the paper's below."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from analysis.comparison import Comparison
from analysis.fields import name_of, rows_of
from analysis.figures.words import value_text
from analysis.robustness import CORRUPTIONS

SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "α": r"$\alpha$", "τ": r"$\tau$", "−": "$-$",
}  # fmt: skip


def csv_of(table: pl.DataFrame) -> str:
    """Return `beside_paper` as CSV: accuracies as fractions, drops in percentage points, the paper's as printed."""
    return table.write_csv()


def tex_of(table: pl.DataFrame, compared: Comparison) -> str:
    """Return `beside_paper` as a LaTeX table, which takes the package booktabs.

    A row per setting with accuracies in % and drops in points, a row with the drops' 95 % intervals, and a row with
    what the paper printed, as far as there are such.
    """
    heads = [*map(name_of, compared.contexts), compared.title or "setting", "clean", *CORRUPTIONS.values()]
    names = len(compared.columns) - len(compared.lines) + 1
    lines = [
        "% Test accuracy in %, in brackets its distance from the clean one in percentage points; in small print the",
        "% 95 % Student-t interval over seeds of that distance; in italics what Kim et al. 2023 print in Table 1.",
        rf"\begin{{tabular}}{{{'l' * names}{'r' * (len(heads) - names)}}}",
        r"\toprule",
        _row([escaped(head) for head in heads]),
        r"\midrule",
    ]
    for number, setting in enumerate(table.select(*compared.columns).unique(maintain_order=True).rows()):
        if number:
            lines.append(r"\addlinespace")
        rows = {row["corruption"]: row for row in rows_of(table, compared.columns, setting).iter_rows(named=True)}
        context, line = compared.split(setting)
        titles = [escaped(value_text(value)) for value in context] + [escaped(compared.names[line])]
        lines += _rows(titles, [rows.get(corruption) for corruption in CORRUPTIONS])
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _rows(titles: Sequence[str], cells: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """Return the lines of one setting: its numbers, their intervals, the paper's."""
    known = [cell for cell in cells if cell is not None]
    first = known[0]
    lines = [_row([*titles, f"{100 * first['clean_accuracy']:.1f}", *map(_accuracy, cells)])]
    spare = [""] * len(titles)
    if any(cell["drop_low"] is not None for cell in known):
        lines.append(_row([*spare, "", *map(_interval, cells)]))
    if first["paper_clean"] is not None:
        rank = escaped(f"paper, {first['rank']} α = {first['paper_alpha']:g}")
        lines.append(_row([*spare[:-1], rf"\textit{{{rank}}}", f"{first['paper_clean']:.2f}", *map(_paper, cells)]))
    return lines


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _accuracy(cell: Mapping[str, Any] | None) -> str:
    return "--" if cell is None else f"{100 * cell['accuracy']:.1f} (${cell['drop']:+.1f}$)"


def _interval(cell: Mapping[str, Any] | None) -> str:
    if cell is None or cell["drop_low"] is None:
        return ""
    return rf"{{\scriptsize $[{cell['drop_low']:.1f},\,{cell['drop_high']:.1f}]$}}"


def _paper(cell: Mapping[str, Any] | None) -> str:
    if cell is None or cell["paper_accuracy"] is None:
        return ""
    return rf"\textit{{{cell['paper_accuracy']:.2f}}} (${cell['paper_drop']:+.2f}$)"


def escaped(text: str) -> str:
    """Return text with LaTeX's own signs, and the Greek letters of settings, written as LaTeX takes them."""
    return "".join(SIGNS.get(sign, sign) for sign in text)

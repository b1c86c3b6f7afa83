"""The command that draws figures for print: ``figures``."""

from pathlib import Path
from typing import Any

import click

from tic_sweep.cli.options import FOLDER, PLACE, make_console, place_to_write, shown
from tic_sweep.errors import did_you_mean

FORMATS = ("png", "svg", "pdf")


class NamesType(click.ParamType):
    """Names separated by commas; of a set, if one is given."""

    def __init__(self, name: str, known: tuple[str, ...] = ()) -> None:
        self.name, self.known = name, known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the names as a tuple, each once."""
        names = value if isinstance(value, tuple) else tuple(dict.fromkeys(part.strip() for part in value.split(",")))
        for name in names:
            if not name or (self.known and name not in self.known):
                hint = did_you_mean(name, self.known)
                self.fail(f"{name!r} is none of {', '.join(self.known) or self.name}.{hint}", param, ctx)
        return names


@click.command()
@click.argument("results", type=PLACE)
@click.option("--out", type=FOLDER, metavar="FOLDER", help="Folder to write to; RESULTS/figures if left out.")
@click.option(
    "--format",
    "formats",
    type=NamesType("png,svg,pdf", FORMATS),
    default=FORMATS,
    show_default="png,svg,pdf",
    help="Of the files.",
)
@click.option("--only", type=NamesType("fig1,fig4"), default=(), help="Figures to draw; all there are if left out.")
@click.option(
    "--width", type=click.Choice(["single", "double"]), help="Of one column or two; what each needs if left out."
)
@click.option("--dpi", type=click.IntRange(50, 2400), default=300, show_default=True, help="Of PNG.")
def figures(
    results: str | Path, out: Path | None, formats: tuple[str, ...], only: tuple[str, ...], width: str | None, dpi: int
) -> None:  # fmt: skip
    """Draw the papers' figures that RESULTS, a folder or a URL, hold something for: publication style, captions."""
    import analysis
    from analysis.figures.catalogue import chosen_figures
    from analysis.figures.style import WIDTHS
    from analysis.figures.writing import CAPTIONS, write_figures
    from tic_sweep.store import ResultsFolder

    chosen, console = chosen_figures(only), make_console()
    target = place_to_write(results, out, "--out FOLDER") or ResultsFolder.open(results).figures
    opened, drawn = analysis.open_results(results), set()
    inches = WIDTHS[width] if width else None
    for written in write_figures(opened, target, chosen, formats=formats, width=inches, dpi=dpi):
        endings = ", ".join(path.suffix.removeprefix(".") for path in written.files)
        console.print(f"{written.stem} ({endings}): {written.figure.title}", soft_wrap=True, markup=False)
        drawn.add(written.figure.name)
    rest = len(chosen) - len(drawn)
    without = f" The results hold nothing for the other {rest}." if rest else ""
    console.print(f"{len(drawn)} of {len(chosen)} figures drawn.{without}")
    if drawn:
        console.print(f"Captions: {shown(target / CAPTIONS)}", soft_wrap=True, markup=False)

"""Figures for print as files: the same results give the same bytes, in any process."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.figures.catalogue import FIGURES, Figure
from analysis.figures.style import Drawing, styled
from analysis.results import Results
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store.addresses import refuse_url
from tic_sweep.store.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FORMATS = ("png", "svg", "pdf")
DPI = 300
CAPTIONS = "captions.md"
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None}, "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}  # fmt: skip
"""Nothing of when and by what a file was made, so that files differ only if the figures do."""


@dataclass(frozen=True, slots=True)
class Written:
    """A figure on disk."""

    figure: Figure
    files: tuple[Path, ...]
    caption: str

    @property
    def stem(self) -> str:
        """The name of its files without their endings."""
        return self.files[0].stem


def write_figures(
    results: Results, folder: Path, figures: Sequence[Figure] = FIGURES, *, formats: Sequence[str] = FORMATS,
    width: float | None = None, dpi: int = DPI,
) -> Iterator[Written]:  # fmt: skip
    """Write the figures that the results hold something for, and yield each once it is on disk; at last the captions.

    Captions in the folder of figures that are not drawn this time are kept.

    Args:
        results: what to draw.
        folder: where to; it is made with the first figure.
        figures: which of them.
        formats: of each figure: png, svg, pdf.
        width: of the figures in inches; what each needs if None.
        dpi: dots per inch of PNG.

    Raises:
        StoreError: if the folder is a URL, or cannot be written.
    """
    refuse_url(folder, "figures")
    full = {table for table in TABLES if getattr(results, table).head(1).collect().height}
    captions: dict[str, str] = {}
    for figure in figures:
        if not full.issuperset(figure.tables):
            continue
        with styled():
            drawings = list(figure.draw(results, width))
            contents = [_contents(drawing, formats, dpi) for drawing in drawings]
        for drawing, files in zip(drawings, contents, strict=True):
            stem = "-".join(filter(None, (figure.name, drawing.part)))
            paths = tuple(_write(folder / f"{stem}.{ending}", content) for ending, content in files.items())
            captions[stem] = f"## {stem}\n\n{figure.title}.\n\n{drawing.caption}\n"
            yield Written(figure, paths, drawing.caption)
    if captions:
        _write(folder / CAPTIONS, _captions(_old(folder / CAPTIONS) | captions).encode())


def rendered(figure: "Canvas", ending: str, dpi: int = DPI) -> bytes:
    """Return a figure as the bytes of a PNG, SVG or PDF file; to be called inside `styled`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, dpi=dpi, metadata=METADATA[ending])
    return buffer.getvalue()


def _contents(drawing: Drawing, formats: Sequence[str], dpi: int) -> dict[str, bytes]:
    drawing.figure.draw_without_rendering()
    drawing.figure.set_layout_engine("none")  # the places found hold for every format, and are not sought again
    drawn = {ending: rendered(drawing.figure, ending, dpi) for ending in formats}
    return drawn | {ending: text.encode() for ending, text in drawing.texts.items()}


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise StoreError(
            f"figure {str(path)!r} cannot be written ({error.strerror}): give --out a place you may write to."
        ) from error
    return path


def _old(path: Path) -> dict[str, str]:
    """Return the captions that a folder holds, by the stems of their figures."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    sections = r"^## (\S+)\n.*?(?=^## |\Z)"
    return {match[1]: match[0].strip() + "\n" for match in re.finditer(sections, text, re.MULTILINE | re.DOTALL)}


def _captions(captions: dict[str, str]) -> str:
    ranks = {figure.name: rank for rank, figure in enumerate(FIGURES)}
    ordered = sorted(captions, key=lambda stem: (ranks.get(stem.partition("-")[0], len(ranks)), stem))
    return "# Captions\n\n" + "\n".join(captions[stem] for stem in ordered)

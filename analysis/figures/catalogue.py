"""The figures for print, in the order of the paper: their names, what they are of, and what draws them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from analysis.figures.alpha import draw_fig5
from analysis.figures.capacity import draw_capacity
from analysis.figures.delays import draw_delays
from analysis.figures.fields import draw_fields
from analysis.figures.fig1 import draw_fig1
from analysis.figures.horizons import draw_horizons
from analysis.figures.layers import draw_fig3
from analysis.figures.noise import draw_fig2
from analysis.figures.pruning import draw_fig7, draw_savings
from analysis.figures.race import draw_race
from analysis.figures.robustness import draw_table1
from analysis.figures.settings import settings_drawer
from analysis.figures.style import Drawing
from analysis.figures.toys import draw_toys
from analysis.results import Results
from tic_sweep.errors import UserError, did_you_mean

Drawer: TypeAlias = Callable[[Results, float | None], Iterator[Drawing]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: its name in file names and on the command line, and what draws it."""

    name: str
    paper: str
    """Which figure of a paper it is; empty for one that none has."""
    about: str
    tables: tuple[str, ...]
    """Tables of the store without rows of which there is nothing to draw."""
    draw: Drawer
    """Draws it as wide as asked for in inches, or as it needs."""

    @property
    def title(self) -> str:
        """What it shows, after which figure it is."""
        return f"{self.paper}: {self.about}" if self.paper else self.about


FIGURES: tuple[Figure, ...] = (
    Figure(name="fig1", paper="Fig. 1", about="IC and I_t over training", tables=("epochs", "fisher"), draw=draw_fig1),
    Figure(name="fig2", paper="Fig. 2", about="noise in a window of time", tables=("deficits",), draw=draw_fig2),
    Figure(name="fig3", paper="Fig. 3", about="I_t of each block", tables=("fisher",), draw=draw_fig3),
    *(
        Figure(
            name=f"fig4{panel}", paper=f"Fig. 4{panel}", about=about, tables=("epochs",), draw=settings_drawer(field)
        )
        for panel, about, field in (
            ("a", "timesteps", "timesteps"), ("b", "time constant", "neuron.tau"),
            ("c", "weight decay", "optimiser.weight_decay"), ("d", "learning rate", "optimiser.lr"),
            ("e", "data sets", "data.name"), ("f", "architectures", "model.name"),
        )
    ),
    Figure(name="fig5", paper="Fig. 5", about="α and the Fisher trace", tables=("epochs",), draw=draw_fig5),
    Figure(name="table1", paper="Table 1", about="robustness", tables=("robustness",), draw=draw_table1),
    Figure(name="fig7", paper="Fig. 7", about="accuracy by sparsity", tables=("pruning",), draw=draw_fig7),
    Figure(name="savings", paper="", about="training time saved", tables=("pruning",), draw=draw_savings),
    Figure(name="capacity", paper="Discussion", about="capacity and timesteps", tables=("epochs",), draw=draw_capacity),
    Figure(name="race", paper="", about="a race for the learning rate", tables=("epochs",), draw=draw_race),
    Figure(name="horizons", paper="", about="accuracy by horizon", tables=("horizons",), draw=draw_horizons),
    Figure(
        name="delays", paper="Mészáros et al. 2024, Fig. 3", about="learnt delays and learnt structure",
        tables=("sequences",), draw=draw_delays,
    ),
    Figure(
        name="fields", paper="Mészáros et al. 2024, Fig. 1", about="receptive fields", tables=("synapses", "delays"),
        draw=draw_fields,
    ),
    Figure(name="reset", paper="", about="toy problems solved by learning rate", tables=("toy",), draw=draw_toys),
)  # fmt: skip


def chosen_figures(names: Sequence[str]) -> tuple[Figure, ...]:
    """Return the figures of some names in the order of the catalogue, all for no names; ``fig4`` is all its panels.

    Raises:
        UserError: if a name is unknown.
    """
    chosen: set[str] = set()
    for name in names:
        found = {figure.name for figure in FIGURES if figure.name == name or (name == "fig4" and name in figure.name)}
        if not found:
            known = ("fig4", *(figure.name for figure in FIGURES))
            raise UserError(f"there is no figure {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
        chosen |= found
    return tuple(figure for figure in FIGURES if not names or figure.name in chosen)

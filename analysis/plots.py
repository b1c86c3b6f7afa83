"""Figures, as plotly objects, of every study: from results to a figure.

A figure is drawn for light pages. Its ``layout.meta["dark"]`` names what each colour becomes on a dark one, and each
trace says in ``meta["role"]`` what it is: a mean, a band, a seed, a transition, a bar or a scale, and so on.
"""

from analysis.plot_alpha import plot_alpha
from analysis.plot_capacity import accuracy_by_timesteps
from analysis.plot_curves import accuracy_by_epoch, ic_by_epoch
from analysis.plot_deficits import plot_deficits
from analysis.plot_effects import plot_effects, plot_importances
from analysis.plot_fisher import fisher_bars
from analysis.plot_horizons import plot_horizons
from analysis.plot_interactions import plot_interactions
from analysis.plot_layers import plot_layers
from analysis.plot_panels import plot_settings
from analysis.plot_pruning import accuracy_by_sparsity, layer_map, savings
from analysis.plot_raster import raster
from analysis.plot_robustness import plot_strengths
from analysis.plot_toys import area_heat, loss_by_rate, solved_by_rate
from analysis.plot_variants import accuracy_differences, dynamics_panels

__all__ = [
    "accuracy_by_epoch", "accuracy_by_sparsity", "accuracy_by_timesteps", "accuracy_differences", "area_heat",
    "dynamics_panels", "fisher_bars", "ic_by_epoch", "layer_map", "loss_by_rate", "plot_alpha", "plot_deficits",
    "plot_effects", "plot_horizons", "plot_importances", "plot_interactions", "plot_layers", "plot_settings",
    "plot_strengths", "raster", "savings", "solved_by_rate",
]  # fmt: skip

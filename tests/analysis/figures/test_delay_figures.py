"""Figures for print on learnt delays and structure hold the numbers of the report's verbs."""

from pathlib import Path

import numpy as np
import pytest
from drawn import band, drawings_of, lines, panels, titles
from store.fabricated import write_rows
from store.fabricated_delays import CHECKERED, DELAYED, HALVES, delays_trial, ridge, variants_of

from analysis import open_results

T95 = 4.302652729911275
"""Student's t of 95 % for three values."""


def test_delays_draws_a_line_per_variant_on_an_axis_of_halvings(tmp_path: Path) -> None:
    """Means of 0.6 ± 0.01 with learnt structure; fixed structure stands for both at sparsity 0."""
    gains = {0.0: (0.0, 0.1, 0.0), 0.5: (0.1, 0.1, 0.2), 0.75: (0.1, 0.1, 0.2)}
    trials = variants_of(gains, scatter=(-0.01, 0.0, 0.01))
    write_rows(tmp_path / "r", trials, varied=DELAYED)
    (drawing,) = drawings_of(open_results(tmp_path / "r"), "delays")
    (panel,) = panels(drawing)
    low, high = band(panel, 1)
    reach = T95 * 0.01 / 3**0.5

    assert ([0, 1, 2], pytest.approx([0.5, 0.6, 0.6])) == lines(panel)["delays fixed, structure learnt"]
    assert (pytest.approx([0.6 - reach] * 3), pytest.approx([0.6 + reach] * 3)) == (low, high)
    assert ["0", "50", "75"] == [label.get_text() for label in panel.get_xticklabels()]
    assert ("sparsity (%)", "test accuracy (fraction)") == titles(panel)
    assert "3 seeds, bands are 95 % Student-t intervals" in drawing.caption


def test_fields_draws_the_best_before_and_after_and_all_of_them(tmp_path: Path) -> None:
    """A drawing per variant: two rows of two fields and a histogram whose shares sum to one."""
    synapses = {0: ridge(range(3), CHECKERED), 2: ridge(range(3), HALVES)}
    trials = [
        delays_trial({"sparsity": s, "rule": rule}, 0.5, synapses=synapses)
        for s, rule in ((0.0, "static"), (0.5, "static"), (0.5, "deepr"))
    ]
    write_rows(tmp_path / "r", trials, varied=DELAYED)
    learnt, fixed = drawings_of(open_results(tmp_path / "r"), "fields")
    panel = panels(fixed)[2]
    image = panels(learnt)[1].images[0].get_array()
    bars = [float(bar.get_height()) for bar in panel.patches if hasattr(bar, "get_height")]

    assert ("delays-learnt-structure-fixed", "delays-learnt-structure-learnt") == (
        fixed.part, learnt.part,
    )  # fmt: skip
    assert 6 == len(panels(fixed)) == len(panels(learnt))
    assert pytest.approx(2.0) == sum(bars)
    assert image is not None
    assert [1.0, 1.1, 0.0, -1.7] == pytest.approx(np.asarray(image)[[0, 1, 1, 7], [0, 0, 1, 3]].tolist())
    assert ("Moran's $I$", "share of fields") == (panels(fixed)[5].get_xlabel(), panel.get_ylabel())
    assert "(a–c) Sparsity 0 %, fields of seed 0 at epoch 2, I over 1 seed" in fixed.caption

"""The report on learnt delays and structure: figures hold the verbs' numbers, tables say what they are."""

from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_delays import CHECKERED, DELAYED, HALVES, delays_trial, ridge, variants_of

from analysis import Results, open_results
from analysis.delays import FIXED
from analysis.explorer import explored_trials
from analysis.plot_curves import ic_by_epoch
from analysis.plot_delays import accuracy_by_density, drifts_by_epoch, gap_by_epoch, looks_of_variants
from analysis.plot_effects import plot_effects
from analysis.plot_fields import best_fields, binned
from analysis.report import render_report
from analysis.report_delays import cost_texts, crossover_texts, effect_texts, field_texts, grouping_texts
from analysis.tables import finding, summary
from analysis.toys import toys
from analysis.variants import fullest_part

FIELDS = {0: ridge(range(3), CHECKERED), 2: ridge(range(3), HALVES)}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """All four variants at sparsity 0, 0.5 and 0.75, and the fields of one trial in each of the first two."""
    trials = variants_of({0.0: (0.0, 0.1, 0.0), 0.5: (-0.05, 0.1, 0.1), 0.75: (0.05, 0.05, 0.25)})
    fields = [delays_trial({"sparsity": s, "seed": 9}, 0.6, synapses=FIELDS) for s in (0.0, 0.5)]
    write_rows(tmp_path / "r", [*trials, *fields], varied=DELAYED)
    return open_results(tmp_path / "r")


def texts_of(cells: Any) -> list[str]:
    """Return the texts of a row of cells."""
    return [getattr(cell, "text", cell) for cell in cells]


def shown(figure: Any, role: str = "mean") -> list[Any]:
    """Return the traces of some role that are shown at first."""
    return [trace for trace in figure.data if trace.meta["role"] == role and trace.visible is not False]


def test_a_line_per_variant_on_an_axis_of_halvings(results: Results) -> None:
    """Four lines from sparsity 0 on, evenly apart; the menu has the three protocols."""
    figure = accuracy_by_density(results)
    by_name = {trace.name: trace for trace in shown(figure)}
    line = by_name["delays fixed, structure learnt"]

    assert 4 == len(by_name)
    assert ((0, 1, 2), pytest.approx((0.5, 0.45, 0.55))) == (tuple(line.x), tuple(line.y))
    assert ("0", "50", "75") == figure.layout.xaxis.ticktext
    assert ["test accuracy: best validation", "test accuracy: last", "test accuracy: published"] == [
        button.label for button in figure.layout.updatemenus[0].buttons
    ]


def test_looks_tell_structure_by_colour_and_delays_by_dash() -> None:
    """Fixed comes first in both, whatever the learnt ones are called."""
    looks = looks_of_variants([("learnt", "set"), ("learnt", FIXED), (FIXED, "set"), (FIXED, FIXED), (FIXED, "deepr")])

    assert (FIXED, FIXED) == next(iter(looks))
    assert looks[FIXED, "set"].shade == looks["learnt", "set"].shade != looks[FIXED, FIXED].shade
    assert looks[FIXED, "set"].dash == looks[FIXED, FIXED].dash != looks["learnt", FIXED].dash
    assert 3 == len({look.shade for look in looks.values()})


def test_drifts_show_the_sparsest_first(results: Results) -> None:
    """Six panels, of which the first is the share grown: none with fixed structure, a quarter with learnt."""
    figure = drifts_by_epoch(results)
    grown = {trace.name: tuple(trace.y) for trace in shown(figure) if trace.xaxis == "x"}

    assert "sparsity 0.75" == figure.layout.updatemenus[0].buttons[0].label
    assert {"delays fixed, structure fixed": (0.0, 0.0, 0.0), "delays learnt, structure learnt": (0.0, 0.25, 0.25)} == {
        name: grown[name] for name in ("delays fixed, structure fixed", "delays learnt, structure learnt")
    }


def test_the_gap_is_drawn_for_learnt_delays(results: Results) -> None:
    """A tenth at epoch 1 and a twentieth at 2, in a panel for each structure."""
    figure = gap_by_epoch(results)

    assert {(0.0, 10.0, 5.0)} == {tuple(round(y, 9) for y in trace.y) for trace in shown(figure)}
    assert ["delays learnt, structure fixed", "delays learnt, structure learnt"] == [
        title.text for title in figure.layout.annotations
    ]


def test_best_fields_are_drawn_before_and_after(results: Results) -> None:
    """Two rows of two maps and a histogram; shares of the three fields sum to one."""
    figure = best_fields(results)
    maps, bars = shown(figure, "map"), shown(figure, "bar")

    assert (4, 4) == (len(maps), len(bars))
    assert (8, 5) == (len(maps[0].z), len(maps[0].z[0]))
    assert [pytest.approx(1.0)] * 4 == [sum(bar.y) for bar in bars]
    assert "<b>sparsity 0 %</b>" in figure.layout.annotations[0].text


def test_bins_are_shared_before_and_after(results: Results) -> None:
    """Untrained fields lie in the lowest bin, trained ones in the highest."""
    from analysis.field_examples import field_examples

    ((_, examples),) = field_examples(results)
    middles, before, after = binned(examples[0])

    assert len(middles) == len(before) == len(after)
    assert (pytest.approx(1.0), pytest.approx(1.0)) == (before[0], after[-1])


def test_effects_stand_side_by_side_for_the_protocols(results: Results) -> None:
    """Learnt structure with fixed delays: -5 points at 0.5 and 5 at 0.75 under each protocol, structure first."""
    texts = effect_texts(results)

    assert texts is not None
    assert ["learnt", "with", "protocol", "pairs", "0 %", "50 %", "75 %"] == list(texts.heads)
    assert [
        ["structure learnt", "delays fixed", protocol, "3", "–", "−5.0", "5.0"]
        for protocol in ("best validation", "last", "published")
    ] == [texts_of(row) for row in texts.rows[:3]]
    assert "optimistic" in texts.note


def test_crossovers_are_told_in_percent(results: Results) -> None:
    """-5 at one halving and +5 at two: 64.64 %; with learnt delays it is ahead from the densest point on."""
    texts = crossover_texts(results)

    assert texts is not None
    rows = [texts_of(row) for row in texts.rows]
    assert ["delays fixed, structure learnt", "best validation", "3", "64.6 %", "100%"] in rows


def test_operations_and_seconds_have_columns_of_their_own(results: Results) -> None:
    """Half of the synapses, half of the operations, the same seconds."""
    texts = cost_texts(results)

    assert texts is not None
    rows = [texts_of(row) for row in texts.rows]
    assert ["delays fixed, structure fixed", "0 %", "3", "1,024", "1.00", "10.0", "1"] in rows
    assert ["delays fixed, structure fixed", "50 %", "3", "512", "1.00", "10.0", "1"] in rows


def test_field_tables_name_their_choice(results: Results) -> None:
    """A row per sparsity with fields stored; the note says which neighbours and weights."""
    fields, grouping = field_texts(results), grouping_texts(results)

    assert fields is not None
    assert grouping is not None
    assert (2, 4) == (len(fields.rows), len(grouping.rows))
    assert "queen contiguity, binary weights" in fields.note
    assert ("0.0 / 3.0 / 3.0", "of 4, 1.0 of them empty") == (fields.rows[0][6].text, fields.rows[0][6].small)  # type: ignore[union-attr]


def test_nothing_is_shown_until_a_trial_has_finished(tmp_path: Path) -> None:
    """No figure and no table, and no error either."""
    write_rows(tmp_path / "r", [delays_trial({}, 0.5, status="running", synapses=FIELDS)], varied=DELAYED)
    running = open_results(tmp_path / "r")

    assert [(), (), (), ()] == [
        draw(running).data for draw in (accuracy_by_density, drifts_by_epoch, gap_by_epoch, best_fields)
    ]
    assert [None] * 5 == [
        text(running) for text in (effect_texts, crossover_texts, cost_texts, field_texts, grouping_texts)
    ]


def test_networks_of_sequences_are_shown_as_those_of_images_are(results: Results) -> None:
    """They have rows in the summary and the explorer, curves of IC, effects, and are no toy problems."""
    names = [trace.name for trace in shown(ic_by_epoch(fullest_part(results)[1]))]

    assert 10 == summary(results).height
    assert results.trials.collect().height == explored_trials(results).height
    assert names
    assert toys(results).trials.collect().is_empty()
    assert "in points of test accuracy by sparsity, delays learnt with structure fixed adds" in finding(results).lower()


def test_effects_leave_out_what_was_not_measured(results: Results) -> None:
    """IC was reported too rarely for a transition: its panel would be empty, and take the names of the levels along."""
    figure = plot_effects(results)

    assert figure.data
    assert not any("transition" in title.text for title in figure.layout.annotations)
    assert "x" == figure.data[0].xaxis


def test_report_has_the_sections(results: Results) -> None:
    """The page shows four figures, five tables and the verdicts."""
    page = render_report(results)

    assert all(f'id="{name}-data"' in page for name in ("delays", "fields", "drifts", "rounding"))
    assert all(f'id="{name}' in page for name in ("crossover", "grouping", "delay-costs"))
    assert "S1b · delays fixed, structure learnt, sparsity 0.75" in page

"""Figures for print, one per figure of the paper, drawn with Matplotlib from the verbs that the report is drawn from.

`style` is their look, `words` how they name things, `catalogue` lists them and `writing` puts them on disk; the other
modules draw one figure or a group each. Matplotlib is imported where something is drawn, its pyplot never.
"""

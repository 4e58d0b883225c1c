"""Surfaces to descend on (named, formulas, functions, networks), and gradient signals."""

GROUP = "optiviz.surfaces"  # of entry points that plugins declare

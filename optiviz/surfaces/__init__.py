"""What is descended: named surfaces, formulas, and signals of gradients."""

GROUP = "optiviz.surfaces"  # of entry points

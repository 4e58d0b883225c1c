"""The theme that looks like tutorials: matplotlib's colours, and contour lines without a fill."""

from optiviz.themes import Theme

THEME = Theme(
    background="#ffffff",
    ink="#111111",
    edge="#111111",
    muted="#444444",
    warning="#b3261e",
    casing="#ffffff",
    rule="#dddddd",
    # Viridis, by Smith and van der Walt, without its palest end.
    ramp=("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#bddf26"),
    lit=("#ffffff", 0.6),
    shaded=("#111111", 0.45),
    minimum="#ffd23f",
    # The first seven colours of matplotlib's default cycle.
    paths=("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2"),
    areas=("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2"),
    fill=False,
    labels=True,
)

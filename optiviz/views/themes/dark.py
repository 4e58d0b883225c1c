"""The theme for dark slides."""

from optiviz.views.themes import Theme

THEME = Theme(
    background="#14181f",
    ink="#eef2f6",
    edge="#0c0f14",
    muted="#a3afbc",
    warning="#ff9d8a",
    casing="#0c0f14",
    # Even steps of lightness, from L* 12 to 40: low areas are dark, and any path stands out.
    ramp=("#171f2b", "#1f2a3a", "#293749", "#344558", "#425468", "#516478"),
    isoline="#8499b0",
    minimum="#ffd23f",
    # The light theme's hues, lifted until each has a contrast of 4.5 or more on the ramp's middle.
    paths=("#56b4f5", "#ff8c42", "#3fd0a4", "#f08ccb", "#f2f4f7", "#ffc94d", "#9fdcff"),
)

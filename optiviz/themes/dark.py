"""The theme for dark slides."""

from optiviz.themes import Theme

THEME = Theme(
    background="#0f141b",
    ink="#eef2f6",
    edge="#080b10",
    muted="#a3afbc",
    warning="#ff9d8a",
    casing="#080b10",
    rule="#2a333f",
    # L* from 5 to 50: low areas are dark, and any path stands out.
    ramp=("#0a1124", "#12294a", "#1c4866", "#2c6478", "#4a8088"),
    lit=("#bfe6e6", 0.42),
    shaded=("#03060c", 0.6),
    isoline="#8499b0",
    minimum="#ffd23f",
    # Far apart in OKLab for normal, protan, deutan and tritan sight, the first five most of all.
    paths=("#f0843f", "#43d3cc", "#ffffff", "#b180fc", "#d6d71f", "#8bfaac", "#15b477"),
    areas=("#56b4f5", "#ff8c42", "#3fd0a4", "#f08ccb", "#ffc94d", "#9fdcff", "#8d97a3"),
)

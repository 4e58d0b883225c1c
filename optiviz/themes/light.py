"""The theme for white slides and pages."""

from optiviz.themes import Theme

THEME = Theme(
    background="#ffffff",
    ink="#16202b",
    edge="#16202b",
    muted="#55626f",
    warning="#a32014",
    casing="#ffffff",
    rule="#d9dfe5",
    # L* from 45 to 97: deep water in the valleys, sand on the heights.
    ramp=("#336da4", "#5799c2", "#94c6d6", "#d2e8e4", "#faf5e8"),
    lit=("#ffffff", 0.8),
    shaded=("#0b2a40", 0.45),
    isoline="#55626f",
    minimum="#ffd23f",
    # Far apart in OKLab for normal, protan, deutan and tritan sight, the first five most of all.
    paths=("#f04a2c", "#1a079e", "#0d0d12", "#9455ec", "#772703", "#b02c74", "#43184c"),
    # Okabe and Ito, Color Universal Design, 2008, a little darker.
    areas=("#0068b5", "#d55e00", "#008a66", "#a8327d", "#e09400", "#3fa4dd", "#6b7480"),
)

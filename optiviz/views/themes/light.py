"""The theme for white slides and pages."""

from optiviz.views.themes import Theme

THEME = Theme(
    background="#ffffff",
    ink="#1d2733",
    edge="#1d2733",
    muted="#5b6875",
    warning="#a32014",
    casing="#ffffff",
    # Even steps of lightness, from L* 70 to 97; little chroma, so that any path stands out.
    ramp=("#93a9c4", "#a9bbd1", "#bfcddd", "#d4dee8", "#e7edf2", "#f5f7f9"),
    isoline="#6f859f",
    minimum="#ffd23f",
    # Okabe and Ito, Color Universal Design, 2008, without the pale yellow and darkened a little.
    paths=("#0068b5", "#d55e00", "#008a66", "#a8327d", "#20242a", "#e09400", "#3fa4dd"),
)

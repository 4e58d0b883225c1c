"""The fonts of a picture: matplotlib's own, and installed ones for the letters it lacks."""

from functools import cache

from matplotlib.font_manager import FontProperties, fontManager, get_font

from optiviz.system.errors import InputError

OWN = "DejaVu Sans"
FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "PingFang SC",
    "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic",
    "Arial Unicode MS", "Noto Sans", "Noto Emoji", "Segoe UI", "Segoe UI Symbol",
)  # fmt: skip


@cache
def families() -> list[str]:
    """Return the font families: matplotlib's own, then the fallbacks that are installed."""
    installed = {font.name for font in fontManager.ttflist}
    return [OWN, *(name for name in FALLBACKS if name in installed)]


def undrawable(text: str) -> str:
    """Return the letters of a text that no available font has, each once."""
    letters = dict.fromkeys(text)
    for family in families():
        known = get_font(fontManager.findfont(FontProperties(family=[family]))).get_charmap()
        letters = {letter: None for letter in letters if ord(letter) not in known}
        if not letters:
            break
    return "".join(letters)


def check_drawable(text: str) -> None:
    """Raise InputError if a text has letters that no available font has."""
    if missing := undrawable(text):
        raise InputError(f"{text!r}: no font on this machine has {' '.join(missing)}")

"""Frames -> bytes. Importing this registers the writer "imageio" with matplotlib.

After that any `FuncAnimation.save("x.gif", writer="imageio")` goes through it, ours or not. The
only room that knows imageio and av.
"""

from importlib import import_module
from typing import Any

from optiviz.formats import Format
from optiviz.writers.movie import ImageioWriter

__all__ = ["ImageioWriter", "load_writer"]


def load_writer(form: Format) -> Any:
    """Return what a format's table entry names: a plugin for animations, else a function."""
    module, _, name = form.target.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), name)

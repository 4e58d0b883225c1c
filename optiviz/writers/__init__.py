"""Frames -> bytes. Importing this registers the writer "imageio" with matplotlib.

After that any `FuncAnimation.save("x.gif", writer="imageio")` goes through it, ours or not. The
only room that knows imageio and av.
"""

from optiviz.writers.movie import ImageioWriter

__all__ = ["ImageioWriter"]

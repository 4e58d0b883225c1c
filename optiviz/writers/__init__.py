"""Writers of animations and pictures. Importing this registers the writer "imageio".

Afterwards `FuncAnimation.save("x.gif", writer="imageio")` uses it, for any matplotlib animation.
Only this package imports imageio and av.
"""

from optiviz.writers.movie import ImageioWriter

__all__ = ["ImageioWriter"]

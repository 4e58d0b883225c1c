"""What is descended: named surfaces, formulas, and signals of gradients.

The table of signals holds strings only, so that help stays light.
"""

SIGNALS = {
    "spikes": "1 at every 60th step, else 0",
    "rectangles": "20 steps of 1, 20 of -1",
    "noisy-sine": "a sine wave under noise of its own size",
    "very-noisy-sine": "a sine wave under noise five times its size",
    "uneven-sawtooth": "large teeth for 80 steps, then small ones",
    "saturation": "40 steps of 1, 40 of 0",
}

"""Steps of optimizers, and formulas, recorded and written in another language.

`Optimizer.step` is code for arrays without side effects. It is run once on arrays that record what
is computed with them, and what was recorded is written as JavaScript. So a page computes what
Python does, with one implementation of each optimizer and of each formula.
"""

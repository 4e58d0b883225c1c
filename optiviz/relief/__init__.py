"""Pictures of height fields in 3-D, in numpy alone: a camera, a field, and the light on it.

A height field is simple enough to be drawn exactly. The camera is a shift lens, so that each column
of pixels looks along one line over the ground, and what it sees there is a running maximum.
"""

"""Rendering of recipes into files: single pictures, batches, pages, and the Python API."""

"""Recipes into their files: one picture, many of them, pages, and what a script calls."""

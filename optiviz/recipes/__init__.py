"""Where a recipe comes from, and how it is told: words, YAML, batches, finished files."""

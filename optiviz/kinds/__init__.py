"""What pictures are of: one file a kind, with its recipe and the scene that it becomes."""

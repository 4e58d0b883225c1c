"""Reading and writing recipes: command lines, YAML, batches and finished files."""

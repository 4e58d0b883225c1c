"""People's own models: losses over all parameters of a PyTorch or JAX model, or of any program."""

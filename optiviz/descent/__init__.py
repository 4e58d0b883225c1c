"""Walking optimizers down what is descended, and finding what to walk them with."""

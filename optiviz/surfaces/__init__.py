"""What is descended: declared surfaces, their formulas, and the catalogue they come from."""

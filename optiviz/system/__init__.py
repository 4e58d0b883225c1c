"""The system layer: files, user input, third-party code and processes."""

"""The world outside: files, texts that somebody wrote, other people's code, processes."""

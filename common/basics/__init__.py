"""Error messages, signals, command lines, atomic file writes and locks."""

"""What everything stands on: errors, signals, command lines, files and their locks."""

"""What everything stands on: errors, command lines, files. Standard library only."""

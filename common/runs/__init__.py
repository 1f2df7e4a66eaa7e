"""The run folder: its files, its record, its tables, and the state to resume from."""

"""The run folder: its files, its record, its tables, the state that is resumed."""

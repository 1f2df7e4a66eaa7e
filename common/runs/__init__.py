"""Manage a run folder: its files, its record, its tables, and the training state."""

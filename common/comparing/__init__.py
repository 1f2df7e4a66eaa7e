"""The parts of `compare.py`: read several runs, tabulate them, plot them."""

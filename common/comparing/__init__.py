"""What `compare.py` reads, tabulates and draws of several runs."""

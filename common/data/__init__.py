"""Real images: where they are found, how they are read, the order of their batches."""

"""Define the losses of D and G of each `--objective`, one module per objective."""

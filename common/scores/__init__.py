"""How good a generator is: features, metrics, the protocol, the report."""

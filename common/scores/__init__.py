"""Evaluate generators: features, metrics, protocol, report."""

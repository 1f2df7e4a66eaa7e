"""Extend models: class conditions, augmentation, EMA weights, faster CPU layers."""

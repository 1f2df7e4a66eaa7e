"""Parts that models are made of: classes, augmentation, EMA, faster CPU layers."""

"""What is logged of a step beside the loss."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("gan")
class OnLabel(keras.metrics.MeanMetricWrapper):
    """Mean of `fn(y_true, y_pred)` over the images labelled `label` (1 real, 0 fake)."""

    def __init__(self, label, fn, name, **keywords):
        super().__init__(fn, name, **keywords)
        self.label = label

    def get_config(self):
        return {**super().get_config(), "label": self.label}

    def update_state(self, y_true, y_pred, sample_weight=None):
        mine = ops.equal(y_true > 0.5, self.label > 0.5)
        super().update_state(y_true, y_pred, sample_weight=mine)


@keras.saving.register_keras_serializable("gan")
def is_right(y_true, y_pred):
    """Whether D tells an image right, bool (n, 1)."""
    return ops.equal(y_pred > 0.5, y_true > 0.5)

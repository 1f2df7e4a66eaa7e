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
def is_right(y_true, y_pred, threshold=0.5):
    """Whether D, which calls real what is above the threshold, is right: bool (n, 1)."""
    return ops.equal(y_pred > threshold, y_true > 0.5)


@keras.saving.register_keras_serializable("gan")
def output(y_true, y_pred):
    """What D says, as it is."""
    return y_pred


def opinions(threshold):
    """What is logged of D's outputs on its real, its fake, and G's new images.

    Args:
        threshold: D's output above which it calls an image real: logged are shares of
            the images that it tells right (of G's new ones: that it calls real). None
            where D gives mere scores: logged are their means.

    Returns:
        three metrics.
    """
    if threshold is None:
        named = {"score_real": 1, "score_fake": 0, "score_adv": 1}
        return [OnLabel(label, output, name) for name, label in named.items()]
    named = {"acc_real": 1, "acc_fake": 0, "acc_adv": 1}
    return [
        OnLabel(label, is_right, name, threshold=threshold)
        for name, label in named.items()
    ]

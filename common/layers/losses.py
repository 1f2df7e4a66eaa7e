"""Define layers that compute a loss: reconstruction error, cross-entropy of classes."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("gan")
class CopyError(layers.Layer):
    """Return the mean reconstruction error over all pixels of each image, float32 (n, 1).

    Its inputs are [images, reconstructed images], both (n, h, w, c). Saved models contain
    the name of this class.

    Args:
        distance: "absolute" or "square".
    """

    def __init__(self, distance, **keywords):
        super().__init__(**{**keywords, "dtype": "float32"})
        self.distance = distance

    def call(self, inputs):
        images, reconstructed = inputs
        errors = ops.abs(reconstructed - images)
        if self.distance == "square":
            errors = ops.square(errors)
        return ops.mean(ops.reshape(errors, (ops.shape(errors)[0], -1)), 1, keepdims=True)

    def get_config(self):
        return {**super().get_config(), "distance": self.distance}


@keras.saving.register_keras_serializable("gan")
class ClassLoss(layers.Layer):
    """Return D's output; add the cross-entropy of an auxiliary classifier to the loss.

    Its inputs are [output (n, 1), logits (n, n_classes), classes int (n, 1)]. The loss is
    the mean of -ln P(class), L_C of Odena et al. 2017, eq. 3. D and G both minimize it,
    each in its own update.
    """

    def call(self, inputs, training=False):
        outputs, logits, classes = inputs
        if training:
            losses = keras.losses.sparse_categorical_crossentropy(
                classes[:, 0], logits, from_logits=True
            )
            self.add_loss(ops.mean(losses))
        return outputs

"""Augment real and generated images in D (DiffAugment), for small datasets.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training". D cannot
memorize a small dataset whose images are changed at random in each step. G does not learn
to generate these changes, because real images are changed in the same way. Each change is
differentiable, because G's gradient passes through it. (Keras's layers are not usable:
RandomSaturation has no gradient, and the gradients of RandomBrightness and RandomContrast
are 0 where they clip.)
"""

import keras
from keras import ops

POLICY = ("colour", "translation", "cutout")


def with_augmentation(d_model, low=-1):
    """Return a D with `Augment` before its first layer, compiled as D is.

    Args:
        d_model: compiled discriminator of images (n, h, w, c), or of [images, classes].
        low: minimum of the image range, -1 or 0.

    Returns:
        keras.Model named "discriminator", which shares D's layers.
    """
    augment = Augment(low=low, name="augment")
    if isinstance(d_model, keras.Sequential):
        start = keras.Input(d_model.input_shape[1:])
        model = keras.Sequential([start, augment, *d_model.layers])
    else:
        inputs = keras.tree.map_structure(
            lambda x: keras.Input(x.shape[1:], dtype=x.dtype, name=x.name), d_model.input
        )
        images = keras.tree.flatten(inputs)[0]
        augmented = augment(images)

        def call(layer, *arguments, **keywords):
            arguments = keras.tree.map_structure(
                lambda x: augmented if x is images else x, arguments
            )
            return layer(*arguments, **keywords)

        model = keras.models.clone_model(d_model, inputs, lambda layer: layer, call)
    model.name = "discriminator"
    model.dtype_policy = "float32"  # the images are float32, also with mixed precision
    metrics = d_model.get_compile_config().get("metrics")
    model.compile(d_model.optimizer, loss=d_model.loss, metrics=metrics)
    return model


@keras.saving.register_keras_serializable("gan")
class Augment(keras.layers.Layer):
    """Change each image at random in training mode; otherwise return it unchanged.

    Images float32 (n, h, w, c) -> the same shape. Empty pixels are 0, as in the paper:
    mid-grey in [-1, 1], black in [0, 1]. Values may leave the image range, because
    clipping would make G's gradient 0.

    Args:
        policy: names of POLICY, in the order of application.
        low: minimum of the image range, -1 or 0; the maximum is 1.
    """

    def __init__(self, policy=POLICY, low=-1, **keywords):
        super().__init__(**{**keywords, "dtype": "float32"})
        self.policy, self.low = tuple(policy), low
        if not set(self.policy) <= set(POLICY):  # e.g. of an untrusted file
            raise ValueError(f"policy must be names of {POLICY}, not {self.policy}")
        self.seed = keras.random.SeedGenerator()

    def call(self, images, training=False):
        for change in self.policy if training else ():
            images = getattr(self, change)(images)
        return images

    def uniform(self, images, low, high):
        """Return a uniform number in [low, high) per image, float32 (n, 1, 1, 1)."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        return keras.random.uniform(shape, low, high, seed=self.seed)

    def integer(self, images, low, high):
        """Return a uniform integer in [low, high) per image, int32 (n, 1)."""
        return keras.random.randint((ops.shape(images)[0], 1), low, high, seed=self.seed)

    def colour(self, images):
        """Change brightness (by at most a quarter of the range), saturation, contrast."""
        images = images + (1 - self.low) * self.uniform(images, -0.25, 0.25)
        if images.shape[-1] == 3:
            grey = ops.mean(images, axis=-1, keepdims=True)
            images = grey + (images - grey) * self.uniform(images, 0, 2)
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return mean + (images - mean) * self.uniform(images, 0.5, 1.5)

    def translation(self, images):
        """Shift by whole pixels, by at most an eighth of height and width."""
        for axis, equation in ((1, "nij,njwc->niwc"), (2, "nij,nhjc->nhic")):
            index, limit = ops.arange(images.shape[axis]), images.shape[axis] // 8
            shift = self.integer(images, -limit, limit + 1)[..., None]
            # Row i of this matrix selects pixel i + shift, or none outside of the image.
            selection = ops.cast(index[:, None] + shift == index, "float32")
            images = ops.einsum(equation, selection, images)
        return images

    def cutout(self, images):
        """Set a rectangle of half the height and width, around a random pixel, to 0."""
        masks = []
        for size in images.shape[1:3]:
            offset = ops.arange(size) - self.integer(images, 0, size) + size // 4
            masks.append((offset >= 0) & (offset < size // 2))
        rows, columns = masks
        return ops.where(rows[:, :, None, None] & columns[:, None, :, None], 0.0, images)

    def get_config(self):
        return {**super().get_config(), "policy": self.policy, "low": self.low}

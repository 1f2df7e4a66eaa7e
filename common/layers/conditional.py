"""GANs that are told which class to draw: `--conditional`.

Here are the models: any G and any D of this collection, with a class as second input. The
training is that of `gan.py`, with the classes for both (`fitting/conditional_gan.py`).
"""

import keras
from keras import Model, layers

from common.architectures.blocks import compile_like
from common.layers.losses import ClassLoss

SIZE = 50  # numbers that stand for a class


def class_input():
    return layers.Input((1,), dtype="int32", name="class")


def embedding(classes, n_classes, size, scale=1.0):
    """A row of `size` numbers for each class, learned: int32 (n, 1) -> (n, size)."""
    start = keras.initializers.RandomNormal(stddev=scale)
    return layers.Flatten()(layers.Embedding(n_classes, size, start)(classes))


def conditional_generator(define_generator, latent_dim, n_classes, condition):
    """G with a class, [latent points (n, latent_dim), int32 (n, 1)] -> images.

    Args:
        define_generator: function, latent_dim -> G.
        latent_dim: numbers of a latent point.
        n_classes: number of classes; they are counted from 0.
        condition: "concat" joins the point and the class's embedding (Mirza & Osindero
            2014, section 3.2); "hadamard" and "classify" multiply the two. (Joined, a G
            that is to please a classifier soon overlooks the point.)
    """
    points, classes = layers.Input((latent_dim,), name="point"), class_input()
    if condition != "concat":
        x = layers.Multiply()([points, embedding(classes, n_classes, latent_dim)])
    else:
        x = layers.Concatenate()([points, embedding(classes, n_classes, SIZE)])
    draw = define_generator(x.shape[-1])
    draw.name = "draw"
    return Model([points, classes], draw(x), name="generator")


def conditional_discriminator(define_discriminator, shape, n_classes, condition):
    """D with a class, [images (n, *shape), int32 (n, 1)] -> verdict (n, 1), compiled.

    Args:
        define_discriminator: function, shape of an image -> D with the objective's head.
        shape: (h, w, c).
        n_classes: number of classes; they are counted from 0.
        condition: "concat": the class's embedding is one more channel of the image
            (Mirza & Osindero 2014). "hadamard": it is multiplied with D's features, and
            the sum of the product added to the score (Miyato & Koyama 2018, "cGANs with
            Projection Discriminator", eq. 3). "classify": D sees the image alone, and
            learns to name its class, too (Odena et al. 2017, eq. 2 and 3).
    """
    images, classes = layers.Input(shape, name="image"), class_input()
    if condition == "concat":
        height, width, channels = shape
        plane = layers.Dense(height * width)(embedding(classes, n_classes, SIZE))
        plane = layers.Reshape((height, width, 1))(plane)
        body = define_discriminator((height, width, channels + 1))
        outputs = body(layers.Concatenate()([images, plane]))
    else:
        body = define_discriminator(shape)
        last = body.layers[-1]
        features = Model(body.inputs, last.input, name="features")(images)
        end = {"hadamard": projected, "classify": classifying}[condition]
        outputs = end(features, last, classes, n_classes)
    model = Model([images, classes], outputs, name="discriminator")
    model.compile(loss=body.loss, optimizer=body.optimizer)
    return model


def projected(features, last, classes, n_classes):
    """D's last layer, with the projection on the class before its activation."""
    activation, last.activation = last.activation, keras.activations.linear
    named = embedding(classes, n_classes, features.shape[-1], scale=0.02)
    likeness = layers.Dot(axes=1, dtype="float32")([features, named])
    score = layers.Add(dtype="float32")([last(features), likeness])
    return layers.Activation(activation, dtype="float32")(score)


def classifying(features, last, classes, n_classes):
    """D's last layer; beside it another one guesses the class, and adds its loss."""
    guess = layers.Dense(n_classes, dtype="float32", name="guess")(features)
    return ClassLoss(name="verdict")([last(features), guess, classes])


def conditional_gan(g_model, d_model, define_gan):
    """Return the composite, [latent vectors, classes] -> verdict (n, 1), with D frozen.

    Args:
        g_model, d_model: as made here.
        define_gan: function, G and D -> composite; its loss and its optimizer are taken.
    """
    d_model.trainable = False
    points, classes = g_model.inputs
    verdict = d_model([g_model([points, classes]), classes])
    model = Model([points, classes], verdict, name="gan")
    empty_g, empty_d = (
        keras.Sequential([layers.Input((1,)), layers.Identity()]) for _ in range(2)
    )
    alike = define_gan(empty_g, compile_like(d_model, empty_d))
    model.compile(alike.optimizer, loss=alike.loss)
    return model

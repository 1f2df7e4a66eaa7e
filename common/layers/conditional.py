"""Build the models of a class-conditional GAN (cGAN): `--conditional`.

Any G and any D of this project get the class as second input; they are trained by
`fitting/conditional_gan.py`. Saved models contain the names of their layers.
"""

import keras
from keras import Model, layers

from common.architectures.blocks import compile_like
from common.layers.losses import ClassLoss

EMBEDDING_SIZE = 50  # length of the vector that embeds a class


def class_input():
    """Return a model's input of classes, int32 (n, 1)."""
    return layers.Input((1,), dtype="int32", name="class")


def embedding(classes, n_classes, size, stddev=1.0):
    """Return a learned embedding of the classes: int32 (n, 1) -> (n, size)."""
    initializer = keras.initializers.RandomNormal(stddev=stddev)
    return layers.Flatten()(layers.Embedding(n_classes, size, initializer)(classes))


def conditional_generator(define_generator, latent_dim, n_classes, condition):
    """Return a class-conditional G, [z (n, latent_dim), int32 (n, 1)] -> images.

    Args:
        define_generator: function, latent_dim -> G.
        latent_dim: length of a latent vector z.
        n_classes: number of classes; they are counted from 0.
        condition: "concat" concatenates z and the class's embedding (Mirza & Osindero
            2014, section 3.2); "hadamard" and "classify" multiply the two. (With
            "classify", a G that concatenates them soon ignores z.)

    Returns:
        keras.Model, not compiled.
    """
    z, classes = layers.Input((latent_dim,), name="point"), class_input()
    if condition == "concat":
        x = layers.Concatenate()([z, embedding(classes, n_classes, EMBEDDING_SIZE)])
    else:
        x = layers.Multiply()([z, embedding(classes, n_classes, latent_dim)])
    unconditional = define_generator(x.shape[-1])
    unconditional.name = "draw"
    return Model([z, classes], unconditional(x), name="generator")


def conditional_discriminator(define_discriminator, shape, n_classes, condition):
    """Return a compiled class-conditional D, [images, int32 (n, 1)] -> output (n, 1).

    Args:
        define_discriminator: function, shape of an image -> D with the objective's head.
        shape: (h, w, c) of an image.
        n_classes: number of classes; they are counted from 0.
        condition: "concat": the class's embedding is an additional channel of the image
            (Mirza & Osindero 2014). "hadamard": the dot product of the embedding and D's
            features is added to the score (Miyato & Koyama 2018, "cGANs with Projection
            Discriminator", eq. 3). "classify": D takes only the image, and is also
            trained to classify it (AC-GAN: Odena et al. 2017, eq. 2 and 3).

    Returns:
        keras.Model.
    """
    images, classes = layers.Input(shape, name="image"), class_input()
    if condition == "concat":
        height, width, channels = shape
        embedded = embedding(classes, n_classes, EMBEDDING_SIZE)
        channel = layers.Dense(height * width)(embedded)
        channel = layers.Reshape((height, width, 1))(channel)
        unconditional = define_discriminator((height, width, channels + 1))
        outputs = unconditional(layers.Concatenate()([images, channel]))
    else:
        unconditional = define_discriminator(shape)
        last = unconditional.layers[-1]
        features = Model(unconditional.inputs, last.input, name="features")(images)
        output_of = {"hadamard": projection_output, "classify": classifier_output}
        outputs = output_of[condition](features, last, classes, n_classes)
    model = Model([images, classes], outputs, name="discriminator")
    model.compile(loss=unconditional.loss, optimizer=unconditional.optimizer)
    return model


def projection_output(features, last, classes, n_classes):
    """Return the output of D's last layer, with the projection before its activation."""
    activation, last.activation = last.activation, keras.activations.linear
    embedded = embedding(classes, n_classes, features.shape[-1], stddev=0.02)
    projection = layers.Dot(axes=1, dtype="float32")([features, embedded])
    score = layers.Add(dtype="float32")([last(features), projection])
    return layers.Activation(activation, dtype="float32")(score)


def classifier_output(features, last, classes, n_classes):
    """Return the output of D's last layer; add the loss of an auxiliary classifier."""
    logits = layers.Dense(n_classes, dtype="float32", name="guess")(features)
    return ClassLoss(name="verdict", dtype="float32")([last(features), logits, classes])


def conditional_gan(g_model, d_model, define_gan):
    """Return the composite, [z, classes] -> D(G(z)) (n, 1), with D frozen.

    Args:
        g_model, d_model: class-conditional G and compiled D.
        define_gan: function, G and D -> compiled composite; only its loss and optimizer
            are used.

    Returns:
        keras.Model, compiled.
    """
    d_model.trainable = False
    z, classes = g_model.inputs
    outputs = d_model([g_model([z, classes]), classes])
    model = Model([z, classes], outputs, name="gan")
    g, d = (keras.Sequential([layers.Input((1,)), layers.Identity()]) for _ in range(2))
    reference = define_gan(g, compile_like(d_model, d))
    model.compile(reference.optimizer, loss=reference.loss)
    return model

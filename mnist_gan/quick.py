"""A narrow pair for `train.py --preset quick`: digits in minutes on two CPU cores."""

OPTIONS = {
    "epochs": 8,
    "batch_size": 64,
    "learning_rate": 0.0005,
    "steps_per_epoch": 400,
    "save_every": 1,
    "precision": "float32",
}


def define_discriminator(in_shape=(28, 28, 1)):
    """As `define_discriminator.define_discriminator`, with half as many filters."""
    from keras import Sequential, layers, optimizers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Conv2D(32, 4, strides=2, padding="same"),  # 14x14x32
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Conv2D(64, 4, strides=2, padding="same"),  # 7x7x64
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Flatten(),  # 3136
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ],
        name="discriminator",
    )
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0005, beta_1=0.5),
        metrics=["accuracy"],
    )
    return model


def define_generator(latent_dim):
    """As `define_generator.define_generator`, narrow and with BatchNormalization."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(64 * 7 * 7, use_bias=False),
            layers.Reshape((7, 7, 64)),  # 7x7x64
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),  # 14x14x32
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )


def define_gan(g_model, d_model):
    """As `define_gan.define_gan`; the optimizer also keeps the mean of G's weights."""
    from keras import Sequential, optimizers

    d_model.trainable = False
    model = Sequential([g_model, d_model], name="gan")
    adam = optimizers.Adam(0.0005, beta_1=0.5, use_ema=True, ema_momentum=0.995)
    model.compile(loss="binary_crossentropy", optimizer=adam)
    return model

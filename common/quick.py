"""What the pairs of `--preset quick` share: an Adam with a short memory, and averages."""


def adam(learning_rate, **keywords):
    """Adam for few steps: beta_2 0.99 instead of 0.999; beta_1 is the tutorials'."""
    from keras.optimizers import Adam

    return Adam(learning_rate, beta_1=0.5, beta_2=0.99, **keywords)


def define_averaged_gan(g_model, d_model, learning_rate):
    """As the tutorials' define_gan; the optimizer also keeps the mean of G's weights.

    The mean runs over the last some hundred steps (EMA; Yazici et al. 2019, "The Unusual
    Effectiveness of Averaging in GAN Training").
    """
    from keras import Sequential

    d_model.trainable = False
    model = Sequential([g_model, d_model], name="gan")
    optimizer = adam(learning_rate, use_ema=True, ema_momentum=0.998)
    model.compile(loss="binary_crossentropy", optimizer=optimizer)
    return model

"""The estimator that turns samples into codes and back."""

from __future__ import annotations

from .base import BaseAutoencoder


class OTAutoencoder(BaseAutoencoder):
    """Creates an optimal-transport autoencoder as a transformer of scikit-learn.

    It trains on all samples in memory, and leaves no file behind. Samples are taken as they are: put a scaler before it in a
    pipeline where features have different units.

    Args:
        recipe: The name of a recipe, such as `gwae` or `wae-mmd`, the path of a YAML file, or plain values; its data section
            is left aside but for the batch size.
        latent_dim: The number of entries of a code; as in the recipe where `None`.
        prior: The prior by name, or `{"name": …}` with options; as in the recipe where `None`.
        epochs: The number of passes over the data; as in the recipe where `None`.
        batch_size: The largest number of samples in a batch; as in the recipe where `None`.
        overrides: Any further value of the configuration, by dotted path or nested, such as
            `{"training.optimizer.lr": 1e-3}`.
        data_shape: The shape of one sample where rows are flattened, such as (1, 28, 28) for encoders of images.
        value_range: The smallest and largest value of a sample, which bound what is decoded; unbounded where `None`.
        random_state: The seed of weights, order and draws.

    Attributes:
        model_: The trained `otae.Autoencoder`.
        objective_: The trained objective.
        history_: The mean of each term, epoch by epoch.
        configuration_: The resolved configuration.
        n_features_in_: The number of entries of a sample.
        input_shape_: The shape of one sample as it was given.

    Examples:
        >>> from sklearn.datasets import load_digits
        >>> x = load_digits().data[:64] / 16
        >>> estimator = OTAutoencoder("wae-mmd", latent_dim=2, epochs=1, random_state=0).fit(x)
        >>> estimator.transform(x).shape, estimator.sample(3, random_state=0).shape
        ((64, 2), (3, 64))
    """

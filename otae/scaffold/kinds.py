"""What a plugin package of each kind does at first, and how it is tried out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Creates what is told of a package of one kind.

    Args:
        role: What the part in it does, in words.
        contents: What its main file holds, in words.
        command: The command that trains with it; `NAME` stands for its name.
        main: The main file; `MODULE` and `NAME` stand for its names.
    """

    role: str
    contents: str
    command: str
    main: str = "MODULE.py"


KINDS = {
    "prior": Kind(
        "independent normal entries, learned",
        "the class, with a typed `__init__`, `sample`, and a `law` since it has a density",
        "otae train gwae --set model.prior.name=NAME",
    ),
    "cost": Kind(
        "the energy distance of two clouds",
        "the class, with a typed `__init__` and `forward`",
        "otae train wae-mmd --set objective.match.cost=NAME",
    ),
    "encoder": Kind(
        "one hidden layer and a diagonal normal law",
        "the class, with a typed `__init__`, and `forward`, which returns a law",
        "otae train gwae --set model.encoder.name=NAME",
    ),
    "decoder": Kind(
        "one hidden layer, within the range of the data",
        "the class, with a typed `__init__` and `forward`",
        "otae train gwae --set model.decoder.name=NAME",
    ),
    "dataset": Kind(
        "points on rings in the plane",
        "the class, with a typed `__init__`, `data_shape`, `labels`, and samples by index",
        "otae train gwae --set data.name=NAME",
    ),
    "metric": Kind(
        "how far generations and samples are from each other",
        "the class, with a typed `__init__`, and `__call__`, which returns named figures",
        "otae train gwae",
    ),
    "kernel": Kind(
        "the Matérn kernel of smoothness 3/2",
        "the class, a frozen dataclass whose fields are its options, and `of`, a function of the squared distance",
        "otae train wae-mmd --set objective.match.cost.kernel=NAME",
    ),
    "ground": Kind(
        "the Huber loss of the entries",
        "the class, a frozen dataclass whose fields are its options, and `__call__`, a function of two blocks of points",
        "otae train wae-mmd --set objective.reconstruction.cost.ground=NAME",
    ),
    "recipe": Kind(
        "a sliced-Wasserstein autoencoder",
        "the configuration, whose first line says what it is",
        "otae train NAME",
        "NAME.yaml",
    ),
}

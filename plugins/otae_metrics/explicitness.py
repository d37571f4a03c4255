"""How well a linear model reads factors off codes: the area under the ROC curve of each class."""

from __future__ import annotations

import torch
from torch import Tensor

from otae.interfaces import Estimate

from .bootstrap import bootstrap
from .logistic import logistic
from .representation import Representation, standardise
from .roc import area


def explicitness(train: Representation, judged: Representation, seed: int) -> Estimate:
    """Returns the area under the ROC curve of each class against the others, meaned over classes and factors.

    Args:
        train: What the logistic regressions are fitted to.
        judged: What they are judged on.
        seed: The seed of the interval.

    Raises:
        NotApplicableError: If no factor has two classes among the training samples.
    """
    x, y = standardise(train.codes), standardise(judged.codes, train.codes)
    fitted = [_probabilities(x, train.classes[:, f], y) for f in range(len(train.kinds))]
    groups = [(f, label, column) for f, each in enumerate(fitted) for label, column in each.items()]
    scores = torch.stack([column for _, _, column in groups], dim=1)  # (N, classes of all factors)
    truths = torch.stack([judged.classes[:, f] == label for f, label, _ in groups], dim=1)
    owners = torch.tensor([f for f, _, _ in groups])
    return bootstrap(lambda scores, truths: _mean_area(scores, truths, owners), scores, truths, seed=seed, count=20)


def _probabilities(x: Tensor, classes: Tensor, y: Tensor) -> dict[int, Tensor]:
    model = logistic(x, classes)
    columns = torch.from_numpy(model.predict_proba(y.numpy()))
    return dict(zip(model.classes_.tolist(), columns.T, strict=True))


def _mean_area(scores: Tensor, truths: Tensor, owners: Tensor) -> float:
    areas = torch.tensor(
        [area(score[~truth], score[truth]) for score, truth in zip(scores.T, truths.T, strict=True)],
        dtype=torch.float64,
    )
    means = [areas[(owners == f) & areas.isfinite()].mean() for f in torch.unique(owners)]  # a class may not occur
    return float(torch.stack(means).nanmean())

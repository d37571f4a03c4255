"""How much a predictor of a factor makes of each dimension of the code, and how well it predicts."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from torch import Tensor

from otae.interfaces import Factor

from .targets import targets

Predictor: TypeAlias = Literal["forest", "boosting", "lasso"]


@dataclass(frozen=True, eq=False)
class Task:
    """Holds one factor to predict, of samples to fit to and of others.

    Args:
        kind: What the factor is.
        codes: The codes to fit to, standardised, with shape (N, D).
        values: The factor's values, with shape (N,).
        classes: The factor's classes, with shape (N,).
        others: The codes to judge on, with shape (M, D).
        truths: Their values, with shape (M,).
        answers: Their classes, with shape (M,).
        trees: The number of trees of a forest or of boosting's rounds.
        seed: The seed of the fit.
    """

    kind: Factor
    codes: Tensor
    values: Tensor
    classes: Tensor
    others: Tensor
    truths: Tensor
    answers: Tensor
    trees: int
    seed: int

    def redraw(self, rows: Tensor, trees: int, seed: int) -> Task:
        """Returns the same task with other samples to fit to.

        Args:
            rows: The indices of the samples.
            trees: The number of trees.
            seed: The seed of the fit.
        """
        drawn = (self.codes[rows], self.values[rows], self.classes[rows])
        return replace(self, codes=drawn[0], values=drawn[1], classes=drawn[2], trees=trees, seed=seed)


@dataclass(frozen=True, eq=False)
class Fit:
    """Holds what a predictor made of a task.

    Args:
        importance: How much it makes of each dimension, with shape (D,).
        scores: A score for each of the other samples, whose mean is its accuracy or share of explained variance, with
            shape (M,).
    """

    importance: Tensor
    scores: Tensor


def fit(predictor: Predictor, task: Task) -> Fit:
    """Returns what a predictor makes of a task.

    Args:
        predictor: Its name.
        task: The task.
    """
    return _PREDICTORS[predictor](task)


def _forest(task: Task) -> Fit:
    return _classified(RandomForestClassifier(task.trees, max_features=None, random_state=task.seed), task)


def _boosting(task: Task) -> Fit:
    return _classified(GradientBoostingClassifier(n_estimators=task.trees, random_state=task.seed), task)


def _classified(model: RandomForestClassifier | GradientBoostingClassifier, task: Task) -> Fit:
    if len(torch.unique(task.classes)) < 2:  # of samples drawn again
        return Fit(torch.zeros(task.codes.shape[1], dtype=torch.float64), (task.answers == task.classes[0]).double())
    model.fit(task.codes.numpy(), task.classes.numpy())
    hits = torch.from_numpy(model.predict(task.others.numpy())) == task.answers
    return Fit(torch.from_numpy(model.feature_importances_).double(), hits.double())


def _lasso(task: Task) -> Fit:
    count = int(max(task.classes.max(), task.answers.max())) + 1
    known, wanted = (
        torch.nn.functional.one_hot(classes, count).double()
        if task.kind.kind == "categorical"
        else targets(values, task.kind)
        for values, classes in ((task.values, task.classes), (task.truths, task.answers))
    )
    centre, scale = known.mean(0), known.std(0, correction=0).square().sum().sqrt()
    known, wanted = (known - centre) / scale, (wanted - centre) / scale
    importance, guesses = torch.zeros(task.codes.shape[1], dtype=torch.float64), torch.zeros_like(wanted)
    for column in range(known.shape[1]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = LassoCV(cv=3, alphas=30, random_state=0).fit(task.codes.numpy(), known[:, column].numpy())
        importance += torch.from_numpy(model.coef_).abs()
        guesses[:, column] = torch.from_numpy(model.predict(task.others.numpy()))
    variance = (wanted - wanted.mean(0)).square().sum(1).mean().clamp_min(1e-300)
    return Fit(importance, 1 - (guesses - wanted).square().sum(1) / variance)


_PREDICTORS: dict[Predictor, Callable[[Task], Fit]] = {"forest": _forest, "boosting": _boosting, "lasso": _lasso}

"""Outliers: scikit-learn as an oracle of figures, scores of a model written out, baselines that tell what they can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import ot
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from specimens import draws, specimen_of
from torch import Generator, Tensor
from torch.distributions import Independent, Normal

from otae.cloud import Cloud
from otae.errors import ConfigError, NotApplicableError
from otae.interfaces import Cost, Dataset, Missing, Prior, Samples, Specimen
from otae.testing import MetricSuite
from otae_metrics import Outliers
from otae_metrics.detection import detection, rates


class Gaussian(Prior):
    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        return self.normal(count, self.latent_dim, generator=generator)

    @property
    def law(self) -> Independent:
        return Independent(Normal(torch.zeros(self.latent_dim), 1.0), 1)


class Lawless(Gaussian):
    law = None  # type: ignore[assignment]


class Head:
    """A model whose code is the first entries of a sample, times three, and whose reconstruction is 0 elsewhere."""

    def __init__(self, shape: tuple[int, ...], latent_dim: int, prior: type[Prior] = Gaussian) -> None:
        self.shape, self.latent_dim, self.prior = shape, latent_dim, prior(latent_dim)

    def encode(self, x: Tensor, *, sample: bool = False, batch_size: int = 1024) -> Tensor:
        return 3 * x.flatten(1)[:, : self.latent_dim]

    def decode(self, z: Tensor, *, batch_size: int = 1024) -> Tensor:
        flat = z.new_zeros(len(z), int(np.prod(self.shape)))
        flat[:, : self.latent_dim] = z / 3
        return flat.reshape(len(z), *self.shape)


class Sum(Cost):
    """A cost whose potential is the sum of all entries of a point."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return target.flat.sum() - source.flat.sum()

    def potential(self, cloud: Cloud) -> Tensor:
        return cloud.flat.sum(1)


class Plain(Cost):
    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        return source.flat.sum()


@dataclass
class Term:
    cost: Cost
    source: tuple[str, ...]
    target: tuple[str, ...] | None


class Terms:
    def __init__(self, **terms: Term) -> None:
        self.terms = terms

    def __iter__(self) -> Iterator[tuple[str, Term]]:
        return iter(self.terms.items())


class Fixed(Dataset):
    def __init__(self, points: Tensor) -> None:
        self.points, self.data_shape = points, tuple(points.shape[1:])

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Tensor:
        return self.points[index]


def seen(data: Tensor, prior: type[Prior] = Gaussian, latent_dim: int = 2, **terms: Term) -> Specimen:
    model: Any = Head(tuple(data.shape[1:]), latent_dim, prior)
    codes = model.encode(data)
    objective: Any = Terms(**terms)
    return specimen_of(
        data,
        codes,
        reconstructions=model.decode(codes),
        prior=draws(400, latent_dim, 77).to(data.dtype),
        train=Samples(data=data, codes=codes),
        model=model,
        objective=objective,
    )


class TestOutliers(MetricSuite):
    plugin = Outliers

    def specimen(self, count: int = 60, dtype: torch.dtype = torch.float64, seed: int = 0) -> Specimen:
        specimen = super().specimen(count, dtype, seed)
        model: Any = Head(self.data_shape, 2)
        merge = Term(Sum(), ("data", "code"), ("generation", "prior"))
        objective: Any = Terms(merge=merge)
        return replace(specimen, model=model, objective=objective)

    def test_a_perfect_model_has_the_declared_figures(self) -> None:
        figures = self.judged(self.specimen())  # the suite's perfect codes are the data, of other dimensions
        assert figures["brightness_auroc"] == pytest.approx(0.5, abs=0.01)  # half a turn moves no mean


@pytest.mark.parametrize("ties", [False, True])
def test_the_figures_are_those_of_scikit_learn(ties: bool) -> None:
    normal, outliers = draws(130, 1).flatten(), draws(70, 1, 1).flatten() + 1
    if ties:
        normal, outliers = normal.round(), outliers.round()
    truth, scores = np.r_[np.zeros(130), np.ones(70)], torch.cat([normal, outliers]).numpy()
    figures = detection(normal, outliers, 0)
    assert figures["auroc"] == pytest.approx(roc_auc_score(truth, scores))
    assert figures["aupr"] == pytest.approx(average_precision_score(truth, scores))
    false, true, _ = roc_curve(1 - truth, -scores, drop_intermediate=False)
    assert figures["fpr95"] == pytest.approx(false[true >= 0.95][0])
    assert all(figures[name].low <= figures[name] <= figures[name].high for name in figures)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20))
@pytest.mark.slow
def test_figures_of_ties_agree_with_scikit_learn(normal: list[int], outliers: list[int]) -> None:
    x, y = torch.tensor(normal).double(), torch.tensor(outliers).double()
    truth = np.r_[np.zeros(len(x)), np.ones(len(y))]
    figures = rates(x[None].expand(2, -1), y[None].expand(2, -1))
    both = torch.cat([x, y]).numpy()
    false, true, _ = roc_curve(1 - truth, -both, drop_intermediate=False)
    assert figures["aupr"].tolist() == pytest.approx([average_precision_score(truth, both)] * 2)
    assert figures["auroc"].tolist() == pytest.approx([roc_auc_score(truth, both)] * 2)
    assert figures["fpr95"].tolist() == pytest.approx([false[true >= 0.95 - 1e-9][0]] * 2)


def test_every_score_is_the_one_of_the_definition() -> None:
    data, others = draws(150, 6), draws(150, 6, 5) + 0.5
    specimen = seen(data, merge=Term(Sum(), ("data", "code"), ("generation", "prior")))
    figures = Outliers(against=Fixed(others))(specimen)
    model, linear = specimen.model, torch.linalg.svd(data - data.mean(0)).Vh[:2].T
    dual = ot.emd(
        np.full(150, 1 / 150),
        np.full(400, 1 / 400),
        torch.cdist(specimen.codes, specimen.prior).square().numpy(),
        log=True,
    )[1]["v"]

    def scores(x: Tensor) -> dict[str, Tensor]:
        z = model.encode(x)
        rest = x - data.mean(0)
        return {
            "critic": -(model.decode(z).sum(1) + z.sum(1)),
            "critic_data": x.sum(1) + z.sum(1),
            "density": -torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1),
            "reconstruction": (x - model.decode(z)).square().sum(1),
            "transport": (torch.cdist(z, specimen.prior).square() - torch.from_numpy(dual)).amin(1),
            "brightness": (x.mean(1) - data.mean()).abs(),
            "pca": (rest - rest @ linear @ linear.T).square().sum(1),
        }

    normal, outliers = scores(data), scores(others)
    truth = np.r_[np.zeros(150), np.ones(150)]
    for name, value in normal.items():
        both = torch.cat([value, outliers[name]]).numpy()
        assert figures[f"{name}_auroc"] == pytest.approx(roc_auc_score(truth, both), abs=1e-3), name
    assert figures["auroc"] == figures["critic_auroc"]


@pytest.mark.parametrize(("prior", "chosen"), [(Gaussian, "density"), (Lawless, "transport")])
def test_without_a_critic_the_headline_is_that_of_density_or_transport(prior: type[Prior], chosen: str) -> None:
    specimen = seen(draws(40, 6), prior, fit=Term(Plain(), ("data",), ("reconstruction",)))
    figures = Outliers(against="noise")(specimen)
    assert figures["auroc"] == figures[f"{chosen}_auroc"]
    assert isinstance(figures["critic_auroc"], Missing)
    assert "No term" in figures["critic_auroc"].reason
    assert isinstance(figures["density_auroc"], Missing) == (prior is Lawless)
    asked = Outliers(against="noise", score="critic")(specimen)["auroc"]
    assert isinstance(asked, Missing)


def test_a_second_critic_is_told_by_the_name_of_its_term() -> None:
    latent = Term(Sum(), ("code",), ("prior",))
    joint = Term(Sum(), ("data", "code"), ("generation", "prior"))
    figures = Outliers(against="noise")(seen(draws(40, 6), merge=joint, latent=latent))
    assert {"critic_auroc", "critic_data_auroc", "critic_latent_auroc", "critic_data_latent_auroc"} <= set(figures)


def test_an_outlier_far_off_is_known_to_the_prior_and_the_transport() -> None:
    figures = Outliers(against=Fixed(draws(100, 6) + 30))(seen(draws(150, 6)))
    for score in ("density", "transport", "brightness"):
        assert figures[f"{score}_auroc"] == 1
        assert figures[f"{score}_aupr"] == pytest.approx(1)
        assert figures[f"{score}_fpr95"] == 0


def test_samples_of_the_same_law_are_no_outliers() -> None:
    figures = Outliers(against=Fixed(draws(400, 6, 9)))(seen(draws(400, 6)))
    for score in ("density", "transport", "brightness", "reconstruction"):
        assert figures[f"{score}_auroc"] == pytest.approx(0.5, abs=0.06), score
        assert figures[f"{score}_fpr95"] == pytest.approx(0.95, abs=0.05), score


def test_the_changes_of_samples_are_what_they_are_called() -> None:
    data = torch.rand(30, 1, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    data[:, :, 0] += 1  # a bright top
    figures = {kind: Outliers(against=kind)(seen(data, latent_dim=4)) for kind in ("rotated", "inverted", "noise")}
    assert figures["rotated"]["brightness_auroc"] == pytest.approx(0.5)  # a turn moves no mean
    assert figures["rotated"]["density_auroc"] != pytest.approx(0.5, abs=0.1)
    assert figures["inverted"]["brightness_auroc"] > 0.99
    assert figures["noise"]["brightness_auroc"] == pytest.approx(0.5, abs=0.25)


def test_what_cannot_be_is_refused_with_the_cure() -> None:
    with pytest.raises(NotApplicableError, match="set `against` to `noise` or a dataset"):
        Outliers()(seen(draws(20, 6)))
    with pytest.raises(ConfigError, match=r"samples of shape \(6,\), but those of `against` have shape \(5,\)"):
        Outliers(against=Fixed(draws(9, 5)))(seen(draws(20, 6)))
    with pytest.raises(NotApplicableError, match="needs the model itself"):
        Outliers()(specimen_of(draws(20, 6)))

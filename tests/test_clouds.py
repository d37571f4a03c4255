"""The named clouds of a batch: each drawn when it is first asked for, and once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from fakes import Fit, MeanGap, Spread, Surprise
from torch import Tensor

from otae import Autoencoder, Cloud, Objective, Term
from otae.clouds import NAMED_CLOUDS, Clouds

X = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def calls(model: Autoencoder, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Returns how often each part of the model was used so far."""
    counter: Counter[str] = Counter()

    def counted(name: str, function: Any) -> Any:
        return lambda *args, **kwargs: (counter.update([name]), function(*args, **kwargs))[1]

    monkeypatch.setattr(model.encoder, "forward", counted("encoder", model.encoder.forward))
    monkeypatch.setattr(model.decoder, "forward", counted("decoder", model.decoder.forward))
    monkeypatch.setattr(model.prior, "sample", counted("prior", model.prior.sample))
    return counter


@pytest.mark.parametrize(("name", "expected"), [
    ("data", {}),
    ("code", {"encoder": 1}),
    ("reconstruction", {"encoder": 1, "decoder": 1}),
    ("prior", {"prior": 1}),
    ("generation", {"prior": 1, "decoder": 1}),
    ("recode", {"prior": 1, "decoder": 1, "encoder": 1}),
])  # fmt: skip
def test_a_cloud_costs_what_it_needs_and_is_drawn_once(
    model: Autoencoder, calls: Counter[str], name: str, expected: dict[str, int]
) -> None:
    clouds = Clouds(model, X)
    assert calls == {}
    assert clouds[name] is clouds[name] is clouds[[name]]
    assert calls == expected


def test_all_clouds_together_take_two_passes_each_way(model: Autoencoder, calls: Counter[str]) -> None:
    clouds = Clouds(model, X)
    for _ in range(2):
        for name in NAMED_CLOUDS:
            assert len(clouds[name]) == len(X)
    assert calls == {"encoder": 2, "decoder": 2, "prior": 1}


@pytest.mark.parametrize(("terms", "expected"), [
    ({"fit": Term(Fit(), "data", "reconstruction")}, {"encoder": 1, "decoder": 1}),
    ({"gap": Term(MeanGap(), "code", "prior")}, {"encoder": 1, "prior": 1}),
    ({"surprise": Term(Surprise(), "prior")}, {"prior": 1}),
    ({"spread": Term(Spread(), "prior", "generation"),
      "joint": Term(MeanGap(), ["data", "code"], ["generation", "prior"])},
     {"encoder": 1, "decoder": 1, "prior": 1}),
])  # fmt: skip
def test_a_model_pays_only_for_what_its_terms_name(
    model: Autoencoder, calls: Counter[str], terms: dict[str, Term], expected: dict[str, int]
) -> None:
    Objective(terms)(model, X)
    assert calls == expected


def test_each_batch_draws_anew(model: Autoencoder) -> None:
    assert not torch.equal(Clouds(model, X)["prior"].points, Clouds(model, X)["prior"].points)


def test_clouds_that_follow_from_others_share_their_draws(model: Autoencoder) -> None:
    clouds = Clouds(model, X)
    assert torch.equal(clouds["data"].points, X)
    assert torch.equal(clouds["reconstruction"].points, model.decoder(clouds["code"].points))
    assert torch.equal(clouds["generation"].points, model.decoder(clouds["prior"].points))


@pytest.mark.parametrize("name", NAMED_CLOUDS)
def test_spaces_and_laws_are_as_declared(model: Autoencoder, name: str) -> None:
    cloud, declared = Clouds(model, X)[name], NAMED_CLOUDS[name]
    assert cloud.points.shape == (5, 6 if declared.space == "data" else 2)
    assert (cloud.law is not None) == (declared.origin is not None)


def test_a_law_is_the_one_the_points_were_drawn_from(model: Autoencoder) -> None:
    clouds = Clouds(model, X)
    assert clouds["code"].law is not None
    assert torch.equal(clouds["code"].law.mean, model.encoder(X).mean)
    assert clouds["prior"].law is not None
    assert clouds["prior"].law.log_prob(clouds["prior"].points).shape == (5,)


def test_a_joint_cloud_keeps_the_order_of_its_names(model: Autoencoder) -> None:
    clouds = Clouds(model, X)
    joint: Cloud = clouds[["code", "data"]]
    assert torch.equal(joint.points, torch.cat([clouds["code"].points, X], dim=1))
    assert joint.members == (clouds["code"], clouds["data"])


def test_gradients_reach_every_part_from_the_last_cloud(model: Autoencoder) -> None:
    points: Tensor = Clouds(model, X)["recode"].points
    points.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())

"""The objective: its sum and its breakdown, its checks, its two kinds of parameters, and anyone's own loop."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fakes import Duel, Fit, LinearDecoder, LinearEncoder, MeanGap, Shifted, Spread, Surprise
from torch import Tensor

from otae import Autoencoder, Cloud, Objective, Term
from otae.cloud import CloudLike
from otae.errors import ConfigError, ObjectiveError
from otae.interfaces import Cost
from otae.schedule import Schedule

X = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))


def duel() -> Duel:
    """Returns a critic of data and codes together."""
    return Duel(((6,), (2,)))


def test_the_total_is_the_weighted_sum_of_the_terms(model: Autoencoder) -> None:
    terms = {
        "fit": Term(Fit(), "data", "reconstruction", weight=2.0),
        "gap": Term(MeanGap(), "code", "prior", weight=-0.5),
    }
    losses = Objective(terms)(model, X)
    fit, gap = losses.terms["fit"], losses.terms["gap"]
    assert list(losses.terms) == ["fit", "gap"]
    assert torch.equal(fit.weighted, 2 * fit.raw)
    torch.testing.assert_close(losses.total, 2 * fit.raw - 0.5 * gap.raw)
    assert losses.total.shape == ()


def test_a_term_is_its_cost_between_its_clouds(model: Autoencoder) -> None:
    objective = Objective({"fit": Term(Fit(), "data", "reconstruction")})
    torch.manual_seed(0)
    losses = objective(model, X)
    torch.manual_seed(0)
    expected = (X - model.decoder(model.encoder(X).rsample())).square().sum(1).mean()
    torch.testing.assert_close(losses.terms["fit"].raw, expected)


@pytest.mark.parametrize(
    ("moment", "weight"), [({}, 0.0), ({"step": 5}, 0.5), ({"step": 99}, 1.0), ({"epoch": 9}, 0.0)]
)
def test_a_weight_follows_its_schedule(model: Autoencoder, moment: dict[str, int], weight: float) -> None:
    objective = Objective({"fit": Term(Fit(), "data", "reconstruction", weight=Schedule(start=0, to=1, steps=10))})
    term = objective(model, X, **moment).terms["fit"]
    assert term.weight == weight
    assert torch.equal(term.weighted, weight * term.raw)


@pytest.mark.parametrize(
    "names", [("data", "reconstruction"), (["data"], ["reconstruction"]), (("data",), "reconstruction")]
)
def test_one_name_or_a_list_of_one_are_the_same(names: tuple[Any, Any]) -> None:
    term = Term(Fit(), *names)
    assert (term.source, term.target) == (("data",), ("reconstruction",))
    assert "source=('data',)" in repr(term)


class Recorder(Cost):
    """Creates a cost that remembers what it was given."""

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        self.seen = source, target
        return source.points.sum()


@pytest.mark.parametrize(
    ("source", "target"), [(["data", "code"], ["generation", "prior"]), (["code", "data"], ["prior", "generation"])]
)
def test_joint_clouds_reach_the_cost_in_the_order_of_their_names(
    model: Autoencoder, source: list[str], target: list[str]
) -> None:
    cost = Recorder()
    Objective({"record": Term(cost, source, target)})(model, X)
    for cloud, names in zip(cost.seen, (source, target), strict=True):
        assert [part.points.shape[1] for part in cloud.parts] == [
            2 if name in ("code", "prior") else 6 for name in names
        ]
        assert torch.equal(cloud.points, torch.cat([part.points for part in cloud.parts], dim=1))


@pytest.mark.parametrize(("cost", "source", "target", "message"), [
    (Fit(), "data", "dta", r"No cloud named 'dta'\. Known: code, data, .*Did you mean 'data'"),
    (Fit(), ["data", "x"], "data", "No cloud named 'x'"),
    (Fit(), "data", [], "A joint cloud needs at least one member, got an empty list"),
    (Fit(), "data", None, "The cost Fit compares two clouds: give it a target"),
    (Surprise(), "code", "prior", "The cost Surprise looks at its source alone: remove the target 'prior'"),
    (Fit(), "data", "generation", "The cost Fit pairs .* 'data' and 'generation' lie on different lines"),
    (Fit(), "code", "recode", "'code' and 'recode' lie on different lines"),
    (MeanGap(), ["data", "prior"], ["data", "code"], "The clouds data, prior lie on different lines: a joint cloud"),
    (MeanGap(), "data", "code", "'data' lives in data and 'code' in latent. .* or a Gromov cost"),
    (MeanGap(), ["data", "code"], ["prior", "generation"], r"in data × latent and \[prior, gen.* latent × data"),
    (MeanGap(), ["data", "code"], "data", r"\[data, code\] lives in data × latent and 'data' in data"),
])  # fmt: skip
def test_clouds_that_do_not_fit_their_cost_are_refused(cost: Cost, source: Any, target: Any, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        Term(cost, source, target)


@pytest.mark.parametrize(("cost", "source", "target"), [
    (Fit(), "data", "reconstruction"), (Fit(), "generation", "generation"), (Fit(), "prior", "recode"),
    (Spread(), "prior", "data"), (Spread(), ["data", "code"], "prior"), (MeanGap(), "code", "prior"),
    (Surprise(), "code", None),
])  # fmt: skip
def test_clouds_that_fit_their_cost_are_accepted(cost: Cost, source: Any, target: Any) -> None:
    assert Term(cost, source, target).weight == 1.0


@pytest.mark.parametrize(("source", "message"), [
    ("code", "The term 'surprise' needs the density of 'code', but the law of the encoder LinearEncoder has none"),
    ("recode", "needs the density of 'recode', but the law of the encoder LinearEncoder has none"),
    ("prior", "needs the density of 'prior', but the prior Shifted has none"),
    ("data", "needs a density, but the cloud 'data' has no law"),
    (["data", "code"], "needs a density, but the cloud 'data' has no law"),
])  # fmt: skip
def test_a_density_that_is_needed_must_be_there(source: Any, message: str) -> None:
    model = Autoencoder(LinearEncoder((6,), 2, noise="none"), LinearDecoder(2, (6,)), Shifted(2))
    with pytest.raises(ObjectiveError, match=message):
        Objective({"surprise": Term(Surprise(), source)}).check(model)


@pytest.mark.parametrize("source", ["code", "prior"])
def test_a_density_that_is_there_is_accepted(model: Autoencoder, source: str) -> None:
    Objective({"surprise": Term(Surprise(), source), "fit": Term(Fit(), "data", "reconstruction")}).check(model)


@pytest.mark.parametrize("name", ["", "two words", "a.b", "1st", "keys", "total", "lr", "training"])
def test_a_term_cannot_bear_a_name_that_is_taken(name: str) -> None:
    with pytest.raises(ObjectiveError, match=f"A term cannot be named '{name}'"):
        Objective({name: Term(Fit(), "data", "reconstruction")})


def test_an_objective_without_terms_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="An objective needs at least one term"):
        Objective({})


def test_parameters_are_minimised_or_maximised_never_both() -> None:
    spread, critic = Spread(), duel()
    objective = Objective({
        "spread": Term(spread, "prior", "generation"),
        "merge": Term(critic, ["data", "code"], ["generation", "prior"]),
        "again": Term(critic, ["data", "code"], ["generation", "prior"]),
    })  # fmt: skip
    minimised, maximised = objective.minimised(), objective.maximised()
    assert [id(each) for each in minimised] == [id(spread.scale)]
    assert [id(each) for each in maximised] == [id(each) for each in critic.line.parameters()]
    assert len(minimised) + len(maximised) == len(dict(objective.named_parameters()))
    assert list(map(id, objective.parameters())) == list(
        map(id, minimised)
    )  # an optimiser of these trains no critic backwards


def test_an_adversary_answers_on_fresh_clouds_that_leave_the_model_alone(model: Autoencoder) -> None:
    objective = Objective({
        "fit": Term(Fit(), "data", "reconstruction"),
        "merge": Term(duel(), ["data", "code"], ["generation", "prior"]),
    })  # fmt: skip
    losses = next(objective.adversary_losses(model, X))
    assert list(losses) == ["merge"]
    losses["merge"].backward()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(parameter.grad is not None for parameter in objective.maximised())


def test_rounds_encode_the_batch_once_and_draw_the_rest_anew(model: Autoencoder) -> None:
    calls = {"encoder": 0, "decoder": 0}
    model.encoder.register_forward_hook(lambda *_: calls.update(encoder=calls["encoder"] + 1))
    model.decoder.register_forward_hook(lambda *_: calls.update(decoder=calls["decoder"] + 1))
    objective = Objective({"merge": Term(duel(), ["data", "code"], ["generation", "prior"])})
    losses = [each["merge"].item() for each in objective.adversary_losses(model, X, rounds=3)]
    assert calls == {"encoder": 1, "decoder": 3}
    assert len(set(losses)) == 3


def test_a_cost_without_adversary_has_no_adversary_loss(model: Autoencoder) -> None:
    assert next(Objective({"fit": Term(Fit(), "data", "reconstruction")}).adversary_losses(model, X)) == {}
    with pytest.raises(NotImplementedError, match="Fit has no adversary, hence no adversary loss"):
        Fit().adversary_loss(Cloud(X), Cloud(X))


def test_anyones_own_loop_trains(model: Autoencoder) -> None:
    torch.manual_seed(0)
    objective = Objective({
        "fit": Term(Fit(), "data", "reconstruction"),
        "merge": Term(duel(), ["data", "code"], ["generation", "prior"], weight=0.01),
        "surprise": Term(Surprise(), "code", weight=0.03),
    })  # fmt: skip
    main = torch.optim.Adam([*model.parameters(), *objective.minimised()], lr=0.05)
    critic = torch.optim.Adam(objective.maximised(), lr=0.05)
    first = objective(model, X).terms["fit"].raw.item()
    for step in range(60):
        main.zero_grad()
        objective(model, X, step=step).total.backward()
        main.step()
        critic.zero_grad()
        next(objective.adversary_losses(model, X))["merge"].backward()
        critic.step()
    assert objective(model, X).terms["fit"].raw.item() < 0.6 * first


def test_one_optimiser_for_all_parameters_leaves_the_adversary_alone(model: Autoencoder) -> None:
    critic = duel()
    objective = Objective({"merge": Term(critic, ["data", "code"], ["generation", "prior"])})
    before = [parameter.clone() for parameter in critic.line.parameters()]
    optimizer = torch.optim.SGD([*model.parameters(), *objective.parameters()], lr=0.1)
    objective(model, X).total.backward()
    optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(before, critic.line.parameters(), strict=True))


def test_a_schedule_may_be_a_dict(model: Autoencoder) -> None:
    schedule = {"from": 0, "to": 1, "steps": 10}
    objective = Objective({"fit": Term(Fit(), "data", "reconstruction", weight=schedule)})
    assert objective(model, X, step=5).terms["fit"].weight == 0.5
    with pytest.raises(ConfigError, match=r"weight: stpes: unknown option.*Did you mean 'steps'"):
        Term(Fit(), "data", "reconstruction", weight={"from": 0, "to": 1, "stpes": 10})


@pytest.mark.parametrize("count", [1, 2])
def test_tiny_batches_give_finite_losses(model: Autoencoder, count: int) -> None:
    objective = Objective({"fit": Term(Fit(), "data", "reconstruction"), "gap": Term(MeanGap(), "code", "prior")})
    assert torch.isfinite(objective(model, X[:count]).total)


@pytest.mark.parametrize("target", [X + 1, Cloud(X + 1), [X[:, :3] + 1, Cloud(X[:, 3:] + 1)]])
def test_a_cost_takes_tensors_clouds_and_lists_of_them(target: CloudLike) -> None:
    torch.testing.assert_close(Fit()(X, target), torch.tensor(6.0))

"""The learned priors: graphs without cycles, codes and pseudo-inputs that move, and training of each from configuration."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from marks import rest_slow
from torch import Generator, Tensor, nn
from torch.distributions import Distribution, Independent, Normal

import otae
from otae import Autoencoder, Cloud, Run, load_config
from otae.build import Shape, build
from otae.errors import CloudError, ConfigError
from otae.interfaces import Encoder
from otae.reductions import distances
from otae.training import fit
from otae_networks import MLPDecoder, MLPEncoder
from otae_priors import Causal, Codebook, Flow, Mixture, Vamp
from otae_variational import KL

PRIORS = [
    "causal", "codebook", "dirichlet", "empirical", "factorized", "flow", "gaussian", "mixture", "neural", "ring", "sphere",
    "student-t", "uniform", "vamp",
]  # fmt: skip


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def causal(seed: int, latent_dim: int = 5, **options: Any) -> Causal:
    """Returns a causal prior with generic scores, about half of the edges present."""
    torch.manual_seed(seed)
    part = Causal(latent_dim, **options).double()
    part.edges.data = torch.randn(latent_dim, latent_dim).double()
    return part


def reachable(graph: Tensor, steps: int) -> Tensor:
    """Returns whether i acts on j along `steps` edges at the most, or is j itself."""
    paths = torch.linalg.matrix_power(torch.eye(len(graph)) + graph.float(), steps)
    return paths > 0


@pytest.mark.parametrize("seed", range(10))
def test_no_graph_has_a_cycle(seed: int) -> None:
    part = causal(seed)
    drawn = [part.drawn_graph(generator(each)).detach() for each in range(10)]
    for graph in (part.adjacency(), *drawn):
        assert set(graph.unique().tolist()) <= {0, 1}
        assert not torch.linalg.matrix_power(graph.double(), 5).any(), "a path as long as there are nodes is a cycle"


def test_equal_scores_make_no_cycle_either() -> None:
    part = causal(0)
    part.scores.data.zero_()
    assert not part.adjacency().any()


@pytest.mark.parametrize("layers", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_a_dimension_is_a_function_of_its_own_noise_and_its_causes_alone(seed: int, layers: int) -> None:
    part = causal(seed, layers=layers).eval()
    graph = part.adjacency()
    noise = torch.randn(50, 5, generator=generator()).double()
    jacobian = torch.autograd.functional.jacobian(lambda x: part(x, graph.double()).sum(0), noise)  # (effect, N, cause)
    acts = jacobian.abs().amax(1).T > 1e-12
    assert torch.equal(acts, reachable(graph, layers))
    assert graph.any(), "the case must have edges"


@pytest.mark.parametrize("layer", range(4))
def test_every_layer_acts(layer: int) -> None:
    part = causal(0, layers=4)
    noise, graph = torch.randn(50, 5, generator=generator()).double(), part.adjacency().double()
    before = part.effects(noise, graph).detach()
    changed = copy.deepcopy(part)
    with torch.no_grad():
        for parameter in changed.layers[layer].parameters():
            parameter.mul_(1.5)
    assert not torch.allclose(changed.effects(noise, graph), before, rtol=1e-3)
    part.effects(noise, graph).square().sum().backward()
    assert all(parameter.grad.abs().max() > 1e-9 for parameter in part.layers[layer].parameters())


def test_in_evaluation_draws_of_a_causal_prior_have_unit_variance_under_its_settled_graph() -> None:
    part = causal(1)
    for seed in range(200):
        part.sample(256, generator(seed))
    z = part.eval().sample(20_000, generator(999))
    torch.testing.assert_close(z.mean(0), torch.zeros(5).double(), rtol=0, atol=0.03)
    torch.testing.assert_close(z.var(0), torch.ones(5).double(), rtol=0.15, atol=0)


def test_in_training_graphs_vary_and_are_learned_from() -> None:
    part = causal(0).train()
    graphs = {tuple(part.drawn_graph(generator(seed)).flatten().tolist()) for seed in range(20)}
    assert len(graphs) > 5
    part.drawn_graph(generator()).mul(torch.randn(5, 5, generator=generator())).sum().backward()
    assert (part.scores.grad.abs() > 1e-6).all()
    assert (part.edges.grad[~torch.eye(5, dtype=torch.bool)].abs() > 1e-6).all()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_score_of_an_edge_follows_what_rewards_or_punishes_it(sign: float) -> None:
    torch.manual_seed(0)
    part = Causal(3)
    optimizer = torch.optim.Adam([part.scores, part.edges], lr=0.1)
    for _ in range(200):
        graph = part.drawn_graph()
        loss = -sign * (graph[0, 1] + graph[1, 2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = part.adjacency()
    assert [int(found[0, 1]), int(found[1, 2])] == ([1, 1] if sign > 0 else [0, 0])


def test_every_draw_of_a_codebook_is_one_of_its_codes_in_evaluation() -> None:
    torch.manual_seed(0)
    part = Codebook(2, codes=6).eval()
    z = part.sample(5000, generator())
    assert ((z[:, None] - part.components.points).norm(dim=2).min(1).values < 1e-5).all()
    shares = part.components.assign(z).mean(0)
    torch.testing.assert_close(shares, part.components.weights, rtol=0, atol=0.03)


def test_the_weights_of_a_codebook_are_gaussian_masses() -> None:
    part = Codebook(1, codes=2)
    part.codes.data = torch.tensor([[-1.0], [2.0]])  # they meet at 0.5
    below = Normal(0.0, 1.0).cdf(torch.tensor(0.5)).item()
    assert part.components.weights.tolist() == pytest.approx([below, 1 - below], abs=1e-3)


def energy_distance(x: Tensor, y: Tensor) -> Tensor:
    n, m = len(x), len(y)
    return 2 * distances(x, y).mean() - distances(x).sum() / (n * (n - 1)) - distances(y).sum() / (m * (m - 1))


@pytest.mark.slow
def test_the_codes_of_a_codebook_find_unequal_clusters() -> None:
    shares, centres = torch.tensor([0.6, 0.25, 0.15]), torch.tensor([[-3.0, 0.0], [2.0, 3.0], [3.0, -3.0]])
    data = centres[torch.multinomial(shares, 4000, replacement=True, generator=generator())]
    data = (data - data.mean(0)) / data.std(0)
    torch.manual_seed(1)
    prior = Codebook(2, codes=3)
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.03)
    for _ in range(400):
        loss = energy_distance(prior.sample(192), data[torch.randint(4000, (192,))])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    points, places = prior.eval().components.points.detach(), data.unique(dim=0)
    order = torch.cdist(places, points).argmin(1)
    assert order.unique().numel() == 3
    torch.testing.assert_close(points[order], places, rtol=0, atol=0.3)
    found = torch.stack([(data == place).all(1).float().mean() for place in places])
    torch.testing.assert_close(prior.components.weights[order], found, rtol=0, atol=0.08)


class Mean(Encoder):
    """Creates an encoder whose law is a normal one around the sample."""

    def __init__(self, size: int) -> None:
        super().__init__((size,), size)
        self.scale = nn.Parameter(torch.full((size,), 0.5))

    def forward(self, x: Tensor) -> Distribution:
        return Independent(Normal(x, self.scale.expand_as(x)), 1)


def test_a_vamp_prior_is_the_mean_of_the_encoders_laws() -> None:
    torch.manual_seed(0)
    part, z = Vamp(2, (2,), Mean(2), inputs=3), torch.randn(7, 2)
    each = torch.stack([part.encoder(u[None]).log_prob(z) for u in part.pseudo_inputs])
    torch.testing.assert_close(part.law.log_prob(z), each.exp().mean(0).log())
    torch.testing.assert_close(part.law.mean, part.pseudo_inputs.mean(0))


@pytest.mark.parametrize(("value_range", "low", "high"), [((0.0, 1.0), 0, 1), ((-1.0, 3.0), -1, 3), (None, -100, 100)])
def test_pseudo_inputs_stay_in_the_range_of_the_data(value_range: Any, low: float, high: float) -> None:
    part = Vamp(2, (2,), Mean(2), value_range)
    part.inputs.data *= 20
    assert part.pseudo_inputs.min() >= low
    assert part.pseudo_inputs.max() <= high
    assert (part.pseudo_inputs.abs().max() > 10) == (value_range is None)


def test_a_vamp_prior_leaves_the_encoder_to_the_model() -> None:
    encoder = MLPEncoder((1, 4, 4), 2, width=8)
    model = Autoencoder(encoder, MLPDecoder(2, (1, 4, 4), width=8), Vamp(2, (1, 4, 4), encoder, inputs=3))
    assert [name for name in model.state_dict() if name.startswith("prior")] == ["prior.inputs"]
    assert len(list(model.parameters())) == len({id(parameter) for parameter in model.parameters()})
    copied = copy.deepcopy(model)
    assert copied.prior.encoder is copied.encoder
    assert model.double().prior.sample(2).dtype == torch.float64
    model.prior.law.log_prob(torch.zeros(1, 2).double()).sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_a_deterministic_encoder_is_refused_by_vamp() -> None:
    experiment = load_config("wae-mmd", ["model.prior=vamp"])
    with pytest.raises(ConfigError, match=r"model\.prior \(prior 'vamp'\): .*no density. Set encoder.noise=gaussian"):
        build(experiment, Shape((1, 8, 8), (0.0, 1.0)))


@pytest.mark.parametrize("prior", [
    Mixture(2, components=3), Flow(2, transforms=2, width=16, standardize=False), Vamp(2, (2,), Mean(2), inputs=6),
], ids=["mixture", "flow", "vamp"])  # fmt: skip
@pytest.mark.slow
def test_priors_with_a_density_learn_codes_by_kl(prior: Any) -> None:
    codes = torch.randn(500, 2, generator=generator()) * torch.tensor([0.3, 0.6])
    codes[:, 0] += torch.where(codes[:, 1] > 0, 0.95, -0.95)  # two clusters, about standardised
    law = Independent(Normal(codes, 0.05), 1)
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.02)

    def divergence() -> Tensor:
        return KL()(Cloud(codes, law=law), Cloud(prior.sample(64), law=prior.law))

    torch.manual_seed(0)
    first = divergence().item()
    for _ in range(80):
        optimizer.zero_grad()
        divergence().backward()
        optimizer.step()
    assert divergence().item() < first - 0.3


@pytest.mark.parametrize("name", rest_slow(PRIORS, 3, spread=True))
def test_every_prior_trains_by_configuration_alone(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(PRIORS) <= set(otae.priors.names())
    small = ["data=blobs", "model.latent_dim=3", "training.epochs=2"]
    small += [f"model.{part}.width=16" for part in ("encoder", "decoder")]
    adversary = ["training.adversary.steps=1", "objective.merge.cost.width=8"]
    run = Run.create(tmp_path / "run", load_config("gwae", [f"model.prior={name}", *small, *adversary]))
    torch.manual_seed(run.experiment.seed)
    begun = build(run.experiment, Shape((6,))).model
    fit(run)
    model = run.model
    assert model.sample(5, generator=generator()).isfinite().all()
    initial, moved = dict(begun.named_parameters()), dict(model.named_parameters())
    still = [key for key, value in moved.items() if key.startswith("prior") and torch.equal(value, initial[key])]
    assert not still, f"{still} took no step"
    assert torch.equal(otae.load(run.path).sample(5, generator=generator()), model.sample(5, generator=generator()))


def test_a_mixture_starts_as_the_one_that_fits_codes_best() -> None:
    torch.manual_seed(0)
    source = Mixture(3, components=4, scale=0.1).double()
    source.means.data = 4 * torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]).double()
    source.logits.data = torch.tensor([0.1, 0.2, 0.3, 0.4]).double().log()
    codes = source.eval().sample(4000, generator()).detach()
    part = Mixture(3, components=4, warmup=1).double().eval()
    assert part.warmup == 1
    best = source.law.log_prob(codes).mean().item()
    assert part.law.log_prob(codes).mean().item() < best - 1
    part.start(5 + 2 * codes)  # the standardisation takes place and scale away
    assert part.law.log_prob(codes).mean().item() == pytest.approx(best, abs=0.02)
    assert part.components.weights.detach().sort().values.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.02)


def test_a_mixture_does_not_start_from_fewer_codes_than_components() -> None:
    with pytest.raises(CloudError, match="starts from at least 10 codes, got 3"):
        Mixture(2).start(torch.randn(3, 2))


def test_a_mixture_follows_codes_as_expectation_maximisation_does() -> None:
    from sklearn.mixture import GaussianMixture

    torch.manual_seed(0)
    source, part = (Mixture(2, components=3, scale=0.4).double().eval() for _ in range(2))
    codes = source.sample(500, generator()).detach()
    ridge = 1e-3 * codes.var(0).mean().item()
    roots = (part.roots @ part.roots.mT).detach() + ridge * torch.eye(2)
    peer = GaussianMixture(3, max_iter=3, tol=0, reg_covar=ridge, weights_init=[1 / 3] * 3,
                           means_init=part.means.detach().numpy(), precisions_init=roots.inverse().numpy())  # fmt: skip
    with pytest.warns(UserWarning, match="did not converge"):
        peer.fit(codes.numpy())
    part.start(codes, again=True)
    torch.testing.assert_close(part.means.data, torch.from_numpy(peer.means_), rtol=0.02, atol=0.02)
    torch.testing.assert_close(part.logits.data.softmax(0), torch.from_numpy(peer.weights_), rtol=0.02, atol=0.02)


def test_a_rival_takes_the_place_of_components_that_have_lost_a_class() -> None:
    torch.manual_seed(0)
    centres = 6 * torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]).double()
    codes = centres.repeat_interleave(100, 0) + 0.3 * torch.randn(400, 2).double()
    stuck, freed = (Mixture(2, components=4, rivals=rivals).double().eval() for rivals in (0, 3))
    for part in (stuck, freed):
        part.means.data = centres[[0, 1, 2, 2]] + 0.1 * torch.randn(4, 2)  # the fourth class is lost
        part.start(codes, again=True)
    assert stuck.components.weights.min() < 0.15
    assert freed.components.weights.min().item() == pytest.approx(0.25, abs=0.01)

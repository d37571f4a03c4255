"""Compares, on several processes, what each built-in cost and recipe computes of shared batches with what one process does.

Started by `test_sharing.py` as `python sharing.py RANK WORLD STORE`; the first process prints the largest deviations as JSON.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as dist

import otae
from otae import Autoencoder, Objective, Term
from otae.build import Parts, Shape, build, open_dataset
from otae.chunks import hold_weights
from otae.clouds import Clouds
from otae.collectives import average_gradients, gather_rows
from otae.recipes import recipes
from otae.share import Share

COUNT, STEPS, RATE = 11, 2, 1e-2
SPACES: dict[str, Any] = {
    "paired": ("data", "reconstruction"),
    "coupled-gw": ("prior", "generation"),
    "critic": (["data", "code"], ["generation", "prior"]),
    "entropy": ("code", None),
}
OPTIONS: dict[str, dict[str, Any]] = {"critic": {"width": 16}, "exact": {}, "gw-gap": {"solver": "exact"}}
UNNAMED = {"matrix-gw"}  # compares tables of distances, which no cloud of a batch is
SIZES = {"critic": ((1, 8, 8), (3,))}


def list_costs() -> dict[str, Callable[[], Parts]]:
    """Returns what builds a model with one term, for each built-in cost."""
    return {f"cost {name}": lambda name=name: build_term(name) for name in otae.costs.names() if name not in UNNAMED}


def list_recipes() -> dict[str, Callable[[], Parts]]:
    """Returns what builds the parts of each recipe."""
    return {f"recipe {name}": lambda name=name: build_recipe(name) for name in _name_recipes()}


def _name_recipes() -> list[str]:
    """Returns the recipes; those for larger images differ in their networks alone, and one stands for them."""
    names = sorted({each.name for each in recipes()})
    return [name for name in names if not name.endswith("-64") or name == "gwae-64"]


def build_term(name: str) -> Parts:
    shape, kind = (1, 8, 8), otae.costs.get(name)
    encoder = otae.encoders.create("mlp", data_shape=shape, latent_dim=3, width=16, depth=1, noise="gaussian")
    decoder = otae.decoders.create("mlp", data_shape=shape, latent_dim=3, width=16, depth=1, value_range=(0.0, 1.0))
    prior = otae.priors.create("gaussian" if kind.needs_density else "neural", latent_dim=3)
    source, target = SPACES.get(name, ("code", "prior") if kind.same_space else ("data", "code"))
    given = {"shapes": SIZES[name]} if name in SIZES else {}
    cost = otae.costs.create(name, **OPTIONS.get(name, {}), **given)
    return Parts(Autoencoder(encoder, decoder, prior), Objective({"term": Term(cost, source, target)}))


def build_recipe(name: str) -> Parts:
    experiment = otae.load_config(name)
    return build(experiment, _read_shape(json.dumps(experiment.data.model_dump(mode="json"), sort_keys=True), name))


@cache
def _read_shape(data: str, name: str) -> Shape:
    dataset = open_dataset(otae.load_config(name))
    return Shape(dataset.data_shape, dataset.value_range)


def _build_local() -> Parts:
    parts = build_term("mmd")
    return Parts(parts.model, Objective({"term": Term(otae.costs.create("mmd"), "code", "prior", gather=False)}))


def _build_noisy() -> Parts:
    parts = build_term("sinkhorn")
    parts.model.encoder = Noisy(parts.model.encoder)
    return parts


class Noisy(otae.Encoder):
    """Adds noise to the samples, and drops some of their entries, before another encoder sees them."""

    def __init__(self, inner: otae.Encoder) -> None:
        super().__init__(inner.data_shape, inner.latent_dim)
        self.inner, self.dropout = inner, nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Any:
        return self.inner(self.dropout(x + 0.1 * torch.randn_like(x) + torch.rand(len(x), 1, 1, 1).to(x)))


def compare_local(share: Share) -> dict[str, float]:
    """Returns by how much the value of a term that does not gather deviates from the mean of the processes' own values.

    Args:
        share: The share of this process.
    """
    torch.manual_seed(0)
    parts = _build_local()
    parts.model.double()
    x = torch.rand(COUNT, 1, 8, 8, dtype=torch.float64)
    state = torch.get_rng_state()
    clouds = Clouds(parts.model, x[share.rows], share)
    raw = dict(parts.objective)["term"](clouds).detach()
    torch.set_rng_state(state)
    whole = Clouds(parts.model, x)
    values = [
        float(otae.costs.create("mmd")(whole["code"].points[rows], whole["prior"].points[rows]).detach())
        for rows in (Share(share.sizes, rank).rows for rank in range(len(share.sizes)))
    ]
    expected = sum(size * value for size, value in zip(share.sizes, values, strict=True)) / COUNT
    return {"loss": abs(float(_average(raw, share)) - expected)}


def compare(make: Callable[[], Parts], dtype: torch.dtype, share: Share | None, chunks: int = 1) -> dict[str, float]:
    """Returns the largest deviations of losses, gradients and weights, over some steps of gradient descent.

    Args:
        make: What builds the parts.
        dtype: The type to compute in.
        share: The share of this process; `None` for one process.
        chunks: In how many chunks the networks work.
    """
    torch.manual_seed(0)
    parts = make()
    parts.model.to(dtype), parts.objective.to(dtype)
    other = copy.deepcopy(parts)
    x = torch.rand(COUNT, *parts.model.data_shape, dtype=dtype)
    state = torch.get_rng_state()
    shared = list(_descend(parts, x if share is None else x[share.rows], share, chunks))
    torch.set_rng_state(state)
    whole = list(_descend(other, x, None))
    found: dict[str, float] = {}
    for ours, theirs in zip(shared, whole, strict=True):
        for key, value in ours.items():
            gap = (value - theirs[key]).abs().max() / theirs[key].abs().max().clamp_min(1)
            found[key.partition(":")[0]] = max(found.get(key.partition(":")[0], 0.0), float(gap))
    return found


def _descend(parts: Parts, x: Tensor, share: Share | None, chunks: int = 1) -> Iterator[dict[str, Tensor]]:
    model, objective = parts.model, parts.objective
    minimised = [*model.parameters(), *objective.minimised()]
    for step in range(STEPS):
        with hold_weights(nn.ModuleList([model, objective]), chunks):
            losses = objective(model, x, step=step, share=share, chunks=chunks)
            for name, term in losses.terms.items():
                if term.raw.requires_grad:
                    gradients = _differentiate(term.raw, minimised, share)
                    yield {f"gradient:{name}.{i}": each for i, each in enumerate(gradients)}
                yield {f"loss:{name}": _average(term.raw.detach(), share)}
            gradients = _differentiate(losses.total, minimised, share)
        _move(minimised, gradients)
        for answers in filter(None, objective.adversary_losses(model, x, 2, share, chunks)):
            owned = objective.maximised()
            total = torch.stack(list(answers.values())).sum()
            yield {"adversary:": _average(total.detach(), share)}
            _move(owned, _differentiate(total, owned, share))
        yield {f"weight:{i}": each.detach().clone() for i, each in enumerate([*minimised, *objective.maximised()])}


def _differentiate(loss: Tensor, parameters: list[nn.Parameter], share: Share | None) -> list[Tensor]:
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    if share is not None:
        average_gradients(parameters)
    found = [torch.zeros_like(each) if each.grad is None else each.grad.clone() for each in parameters]
    for parameter in parameters:
        parameter.grad = None
    return found


@torch.no_grad()
def _move(parameters: list[nn.Parameter], gradients: list[Tensor]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.sub_(gradient, alpha=RATE / max(1.0, float(gradient.norm())))


def _average(value: Tensor, share: Share | None) -> Tensor:
    if share is not None:
        dist.all_reduce(value)
        value /= len(share.sizes)
    return value


def compare_second_derivatives(share: Share) -> dict[str, float]:
    """Returns the deviation of second derivatives through gathering: of a squared gradient norm of a loss of all rows.

    Args:
        share: The share of this process.
    """
    whole = torch.randn(COUNT, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    own = whole.detach()[share.rows].requires_grad_()
    expected = _penalise(whole, whole)
    (expected_gradient,) = torch.autograd.grad(expected, whole)
    found = _penalise(gather_rows(own, share.sizes, share.rank), own) / len(share.sizes) ** 2
    total = found.detach().clone()
    dist.all_reduce(total)
    (gradient,) = torch.autograd.grad(found, own)
    return {
        "loss": float((total - expected.detach()).abs()),
        "gradient": float((gradient - expected_gradient[share.rows]).abs().max()),
    }


def _penalise(points: Tensor, differentiated: Tensor) -> Tensor:
    loss = (points @ points.T).tanh().sum()
    (gradient,) = torch.autograd.grad(loss, differentiated, create_graph=True)
    return gradient.square().sum()


def _compare_all(make: Callable[[], Parts], dtype: torch.dtype, share: Share, chunks: int = 1) -> dict[str, float]:
    """Returns the largest deviations of all processes."""
    found: list[Any] = [None] * len(share.sizes)
    dist.all_gather_object(found, compare(make, dtype, share, chunks))
    return {each: max(own[each] for own in found) for each in found[0]}


def main(rank: int, world: int, store: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    sizes = tuple(COUNT // world + (each < COUNT % world) for each in range(world))
    share = Share(sizes, rank)
    found: dict[str, dict[str, float]] = {}
    found["gathering"] = compare_second_derivatives(share)
    found["local"] = compare_local(share)
    found["chunks"] = _compare_all(lambda: build_recipe("gwae"), torch.float64, share, 3)
    found["noisy"] = _compare_all(_build_noisy, torch.float64, share)
    for name, make in (list_costs() | list_recipes()).items():
        for dtype in (torch.float64, *([torch.float32] if name.startswith("cost") or name == "recipe gwae" else [])):
            key = f"{name} {str(dtype).removeprefix('torch.')}"
            found[key] = _compare_all(make, dtype, share)
            print(key, found[key], file=sys.stderr, flush=True)
    if rank == 0:
        print(json.dumps(found))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

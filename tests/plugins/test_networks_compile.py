"""The networks under torch.compile: one graph without breaks, and the same values."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from marks import rest_slow
from torch import Tensor, nn

import otae

CASES: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "mlp": ("mlp", (5,), {"width": 8}),
    "conv": ("conv", (1, 9, 8), {"channels": 4, "width": 8}),
    "resnet": ("resnet", (1, 9, 8), {"channels": 4, "width": 8}),
    "sequence": ("sequence", (17, 2), {"width": 8}),
    "transformer": ("sequence", (17, 2), {"body": "transformer", "width": 8, "heads": 2, "depth": 1}),
    "set": ("set", (6, 2), {"width": 8}),
    "linear": ("linear", (5,), {}),
}
NOISES = ("gaussian", "implicit", "none")


@pytest.fixture(autouse=True)
def _fresh_compiler() -> None:
    torch.compiler.reset()


def gradients(module: nn.Module, value: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value.square().sum(), list(module.parameters()), materialize_grads=True))


def check(case: str, backend: str, noise: str) -> None:
    name, shape, options = CASES[case]
    torch.manual_seed(0)
    given: dict[str, Any] = {"data_shape": shape, "latent_dim": 2, **options}
    encoder = otae.encoders.create(name, noise=noise, **given).double()
    decoder = otae.decoders.create(name, **given).double()
    x, z = torch.rand(3, *shape).double(), torch.randn(3, 2).double()
    for part, value, result in ((encoder, x, lambda law: law.mean), (decoder, z, lambda images: images)):
        compiled, plain = torch.compile(part, backend=backend, fullgraph=True), part
        torch.testing.assert_close(result(compiled(value)), result(plain(value)), rtol=1e-8, atol=1e-10)
        found = gradients(part, result(compiled(value)))
        torch.testing.assert_close(found, gradients(part, result(plain(value))), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("case", rest_slow(CASES, 2))
@pytest.mark.slow
def test_a_network_is_one_graph(case: str) -> None:
    check(case, "aot_eager", "gaussian")


@pytest.mark.parametrize("noise", NOISES)
def test_every_head_is_one_graph(noise: str) -> None:
    check("mlp", "eager", noise)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of torch's own compiler
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("case", CASES)
def test_a_network_is_compiled_to_machine_code(case: str, noise: str) -> None:
    check(case, "inductor", noise)

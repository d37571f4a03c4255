"""The encoder and decoder around a module of a user's own package, which a folder on the path plays here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import otae
from otae.errors import ConfigError
from otae.testing import DecoderSuite, EncoderSuite
from otae_networks import PretrainedDecoder, PretrainedEncoder

CODE = """
import torch
from torch import nn

def features():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Tanh())

def pixels():
    return nn.Sequential(nn.Linear(5, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

def direct():
    return nn.Sequential(nn.Linear(3, 64), nn.Unflatten(1, (1, 8, 8)))

def pair():
    return nn.LSTM(8, 4)

def codes():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4))

def number():
    return 3

def greedy(size):
    return nn.Linear(size, size)
"""
NAMES = ("features", "pixels", "direct", "pair", "codes", "number", "greedy", "absent")
SHAPE = (1, 8, 8)


def offer(folder: Path, distribution: str, names: tuple[str, ...]) -> None:
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = own_modules_of_a_test:{name}" for name in names]
    (info / "entry_points.txt").write_text("\n".join(["[otae_networks.modules]", *lines]))


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_modules_of_a_test.py").write_text(CODE)
    offer(tmp_path, "own_modules", NAMES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_modules_of_a_test", raising=False)
    return tmp_path


class TestPretrainedEncoder(EncoderSuite):
    plugin = PretrainedEncoder
    options: ClassVar = {"module": "features"}


class TestTrainedOnEncoder(EncoderSuite):
    plugin = PretrainedEncoder
    options: ClassVar = {"module": "features", "freeze": False, "noise": "implicit"}


class TestPretrainedDecoder(DecoderSuite):
    plugin = PretrainedDecoder
    options: ClassVar = {"module": "pixels", "inputs": [5], "output": "auto"}


class TestTrainedOnDecoderOfCodes(DecoderSuite):
    plugin = PretrainedDecoder
    options: ClassVar = {"module": "direct", "freeze": False}
    keeps_range = False


def encoder(**options: Any) -> PretrainedEncoder:
    return PretrainedEncoder(SHAPE, 3, **{"module": "features", **options})


def test_weights_come_from_safetensors_and_features_pass_through_the_head(tmp_path: Path) -> None:
    torch.manual_seed(0)
    own = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Tanh())
    own[1].running_mean += 0.5
    save_file(own.state_dict(), tmp_path / "own.safetensors")
    part, x = encoder(weights=str(tmp_path / "own.safetensors")), torch.rand(2, *SHAPE)
    torch.testing.assert_close(part(x).mean, part.head.mean(own.eval()(x).flatten(1)))


@pytest.mark.parametrize("freeze", [True, False], ids=["frozen", "trained"])
def test_a_frozen_module_keeps_its_weights_and_statistics_and_another_one_learns(freeze: bool) -> None:
    torch.manual_seed(0)
    part = encoder(freeze=freeze).train()
    before = {name: value.clone() for name, value in part.body.state_dict().items()}
    head = part.head.mean.weight.detach().clone()
    optimizer = torch.optim.SGD([each for each in part.parameters() if each.requires_grad], lr=0.1)
    part(torch.rand(8, *SHAPE)).mean.square().sum().backward()
    optimizer.step()
    after = part.body.state_dict()
    floats = [name for name, value in before.items() if value.is_floating_point() and value.ndim]
    assert all(torch.equal(before[name], after[name]) is freeze for name in floats if "0.bias" not in name)
    assert not torch.equal(part.head.mean.weight, head)
    assert part.training
    assert part.body.module.training is not freeze


def test_gradients_pass_through_a_frozen_module_to_its_input() -> None:
    x = torch.rand(2, *SHAPE, requires_grad=True)
    (gradient,) = torch.autograd.grad(encoder()(x).mean.sum(), x)
    assert gradient.abs().max() > 0


@pytest.mark.slow
def test_an_experiment_names_the_module_and_a_run_restores_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    overrides = ["model.encoder={name: pretrained, module: features, noise: none}", "training.epochs=1"]
    run = otae.train(otae.load_config("wae-mmd", overrides), tmp_path / "run")
    x = torch.rand(4, *SHAPE)
    torch.testing.assert_close(otae.load(run.path).encode(x), run.model.encode(x), rtol=0, atol=0)


def test_without_a_head_the_module_makes_the_law_itself() -> None:
    part, x = PretrainedEncoder((8, 8), 4, module="codes", head=False, freeze=False), torch.rand(2, 8, 8)
    assert not part.has_density
    assert torch.equal(part(x).mean, part.plain.module(x))
    with pytest.raises(ConfigError, match=r"must give codes of shape \(N, 5\), or a pair"):
        PretrainedEncoder((8, 8), 5, module="codes", head=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"module": "featuers"}, r"No module named 'featuers'.*Did you mean 'features'\?.*otae_networks\.modules"),
        ({"module": "number"}, r"own_modules 1\.0 .* makes a int, where a torch\.nn\.Module is needed"),
        ({"module": "greedy"}, r"own_modules 1\.0 .* cannot be made without arguments: TypeError"),
        ({"module": "absent"}, r"own_modules 1\.0 .* cannot be made without arguments: AttributeError"),
        ({"module": "pixels"}, r"'pixels' cannot take inputs of shape \(N, 1, 8, 8\): RuntimeError"),
        ({"weights": "/no/such/file"}, r"no file '/no/such/file'.*`weights`"),
    ],
    ids=str,
)
def test_a_module_that_cannot_be_had_is_told_with_the_cure(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder(**options)


def test_a_module_that_gives_no_tensor_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'pair' must give a tensor of shape \(2, …\).*gave tuple"):
        PretrainedEncoder((3, 8), 2, module="pair")


def test_a_name_that_two_distributions_offer_is_refused(package: Path) -> None:
    offer(package, "others_modules", ("features",))
    with pytest.raises(ConfigError, match=r"'features' is offered by .*_modules 1\.0.* and .*_modules 1\.0.*uninstall"):
        encoder()


def test_a_pickled_file_is_never_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save(Trap(), tmp_path / "weights.pt")
    with pytest.raises(ConfigError, match=r"weights\.pt' is no safetensors file.*pickled files are never loaded"):
        encoder(weights=str(tmp_path / "weights.pt"))
    assert not (tmp_path / "sprung").exists()


def test_weights_of_another_module_are_refused(tmp_path: Path) -> None:
    save_file({"0.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(
        ConfigError, match=r"other\.safetensors' does not fit the module(.|\n)*size mismatch for 0\.weight"
    ):
        encoder(weights=str(tmp_path / "other.safetensors"))


def test_a_decoder_of_another_shape_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"gives samples of shape \(1, 8, 8\), but the data have shape \(1, 9, 9\)"):
        PretrainedDecoder(3, (1, 9, 9), module="direct")

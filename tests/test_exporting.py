"""Exported models: each format computes what the model does, for batches of any size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import otae
from otae import Autoencoder, Run
from otae.build import Shape, build
from otae.errors import ConfigError, RunError
from otae.exporting import FORMATS, export
from otae.exporting.graphs import find_noises


class Finished(Run):
    """Holds a run of a model that is given."""

    def __init__(self, model: Autoencoder) -> None:
        self.__dict__["model"] = model.eval()


def make(recipe: str, *overrides: str, shape: tuple[int, ...] = (1, 8, 8)) -> Finished:
    """Returns an untrained model of a recipe as a run."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Finished(build(otae.load_config(recipe, overrides), Shape(shape, (0.0, 1.0))).model)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS[:2])
@pytest.mark.parametrize(
    "recipe", [("gwae",), ("gwae", "model.prior.name=mixture"), ("ae", "model.encoder=conv", "model.decoder=conv")]
)
def test_a_file_computes_what_the_model_does(recipe: tuple[str, ...], format: Any, tmp_path: Path) -> None:
    if format == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")
    run = make(*recipe)
    done = export(run, tmp_path, format)
    assert [each.part for each in done] == ["encoder", "decoder", "sampler"]
    assert max(each.error for each in done) < 1e-5
    assert json.loads((tmp_path / "export.json").read_text())["parts"][0]["inputs"][0]["shape"] == [1, 8, 8]
    x = torch.rand(11, 1, 8, 8)
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(tmp_path / "encoder.onnx"), providers=["CPUExecutionProvider"])
        codes = torch.from_numpy(session.run(None, {"x": x.numpy()})[0])
    else:
        codes = torch.export.load(str(tmp_path / "encoder.pt2")).module()(x)
    torch.testing.assert_close(codes, run.model.encode(x), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_an_exported_sampler_draws_from_the_prior(tmp_path: Path) -> None:
    run = make("wae-mmd", "model.latent_dim=2", shape=(5,))
    export(run, tmp_path, "torch-export", ["sampler"])
    z = torch.randn(40, 2)
    samples = torch.export.load(str(tmp_path / "sampler.pt2")).module()(z)
    torch.testing.assert_close(samples, run.model.decode(z))


def test_weights_alone_are_those_of_the_model(tmp_path: Path) -> None:
    run = make("gwae")
    assert [each.file for each in export(run, tmp_path, "safetensors")] == [
        "encoder.safetensors",
        "decoder.safetensors",
        "prior.safetensors",
    ]
    torch.testing.assert_close(load_file(tmp_path / "encoder.safetensors"), dict(run.model.encoder.state_dict()))


def test_noise_is_found_and_nothing_else_is_taken_for_it(model: Autoencoder, tmp_path: Path) -> None:
    noises = find_noises(make("gwae", "model.prior.name=mixture", "model.latent_dim=3").model.prior, 4)
    assert noises is not None
    assert [(each.kind, each.shape) for each in noises] == [("normal", (3,)), ("uniform", (10,))]
    model.prior.sample = lambda count, generator=None: torch.randn(count, 2)  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="draws other noise than its own normal and uniform"):
        export(Finished(model), tmp_path, "torch-export", ["sampler"])


def test_a_file_that_computes_something_else_is_refused(model: Autoencoder, tmp_path: Path, monkeypatch: Any) -> None:
    def write(module: Any, inputs: Any, names: Any, path: Path) -> Any:
        return lambda x: module(x) + 0.01

    monkeypatch.setitem(__import__("sys").modules["otae.exporting.export"]._WRITERS, "onnx", (".onnx", write))
    with pytest.raises(RunError, match="differs from the model by"):
        export(Finished(model), tmp_path, "onnx", ["encoder"])
    with pytest.raises(ConfigError, match="A format is one of onnx, torch-export, safetensors"):
        export(Finished(model), tmp_path, "onxn")  # type: ignore[arg-type]

"""Exporting: a run's encoder, decoder and sampler as files, each checked by what it computes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from ..autoencoder import Autoencoder
from ..errors import ConfigError, RunError
from ..files import write_json
from ..run import Run
from ..weights import read_weights, write_weights
from .formats import Function, write_onnx, write_program
from .graphs import Decoding, MeanCode, Noise, Sampling, find_noises, unchecked

Format: TypeAlias = Literal["onnx", "torch-export", "safetensors"]
Part: TypeAlias = Literal["encoder", "decoder", "sampler"]
FORMATS: tuple[Format, ...] = get_args(Format)
PARTS: tuple[Part, ...] = get_args(Part)

_WRITERS: dict[str, tuple[str, Callable[..., Function]]] = {
    "onnx": (".onnx", write_onnx),
    "torch-export": (".pt2", write_program),
}
_TRACED, _CHECKED = 3, (1, 5)
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exported:
    """Holds what was written of one part.

    Args:
        part: The part.
        file: The file's name.
        inputs: The name and the shape of one sample of each input, and of noise its kind.
        error: The largest relative difference to the model, over batches of other sizes than that it was traced with.
    """

    part: str
    file: str
    inputs: tuple[dict[str, Any], ...]
    error: float


def export(
    run: str | Path | Run, folder: str | Path, format: Format = "onnx", parts: Sequence[Part] = PARTS
) -> list[Exported]:
    """Writes a run's encoder (samples to mean codes), decoder (codes to samples) and sampler (noise to samples) into a folder.

    Batches may have any size. Each file is read again and compared with the model. `export.json` says what each takes.

    Args:
        run: The run, or its folder.
        folder: The folder to write to.
        format: `onnx`; `torch-export`, a program that torch runs without otae; or `safetensors`, the weights alone.
        parts: Which of them.

    Raises:
        ConfigError: If the format or a part is unknown, a library is missing, or a part cannot be traced.
        RunError: If the run was not trained to its end, or a file computes something else than the model.
    """
    if format not in FORMATS or not set(parts) <= set(PARTS):
        raise ConfigError(f"A format is one of {', '.join(FORMATS)}, a part one of {', '.join(PARTS)}.")
    model = (run if isinstance(run, Run) else Run(run)).model
    place = Path(folder).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    if format == "safetensors":
        done = [_write_weights(model, part, place) for part in parts]
    else:
        done = [_write_graph(copy.deepcopy(model), part, place, format) for part in parts]
    write_json(place / "export.json", {"format": format, "parts": [asdict(each) for each in done]})
    return done


def _write_weights(model: Autoencoder, part: Part, place: Path) -> Exported:
    module = model.prior if part == "sampler" else model.encoder if part == "encoder" else model.decoder
    path = place / f"{'prior' if part == 'sampler' else part}.safetensors"
    write_weights(path, module.state_dict(), {"class": f"{type(module).__module__}.{type(module).__qualname__}"})
    written, _ = read_weights(path)
    if not all(torch.equal(value.cpu(), written[name]) for name, value in module.state_dict().items()):
        raise RunError(f"{path} does not hold the weights of the model. Write it again.")
    return Exported(part, path.name, (), 0.0)


def _write_graph(model: Autoencoder, part: Part, place: Path, format: Format) -> Exported:
    suffix, write = _WRITERS[format]
    path = place / f"{part}{suffix}"
    with unchecked(), torch.no_grad():
        module, inputs = _describe(model, part)
        names = [each["name"] for each in inputs]
        try:
            function = write(module.eval(), _draw(inputs, _TRACED), names, path)
        except ConfigError:
            raise
        except Exception as error:  # tracing runs the code of a part, and raises anything
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"The {part} cannot be exported to {format}: {type(error).__name__}: {first}. Choose other parts, or safetensors."
            ) from error
        largest = max(_compare(module, function, _draw(inputs, size)) for size in _CHECKED)
    if not largest <= _TOLERANCE:
        raise RunError(
            f"{path} differs from the model by {largest:.2g}, relative to the largest value. Use another format."
        )
    return Exported(part, path.name, tuple(inputs), largest)


def _describe(model: Autoencoder, part: Part) -> tuple[nn.Module, list[dict[str, Any]]]:
    if part == "encoder":
        return MeanCode(model.encoder), [{"name": "x", "shape": list(model.data_shape), "kind": "sample"}]
    if part == "decoder":
        return Decoding(model.decoder), [{"name": "z", "shape": [model.latent_dim], "kind": "code"}]
    noises = find_noises(model.prior, _TRACED)
    if noises is None:
        raise ConfigError(
            f"The prior {type(model.prior).__name__} draws other noise than its own normal and uniform, a share for each sample: "
            "its sampler cannot be exported. Export the encoder and the decoder, and draw codes by otae."
        )
    return Sampling(model), [_name(number, noise) for number, noise in enumerate(noises)]


def _name(number: int, noise: Noise) -> dict[str, Any]:
    return {"name": f"noise_{number}", "shape": list(noise.shape), "kind": noise.kind}


def _draw(inputs: Sequence[dict[str, Any]], count: int) -> list[Tensor]:
    """Returns inputs by a generator of their own, in single precision, which all formats know."""
    generator = torch.Generator().manual_seed(count)
    empty = [torch.empty(count, *each["shape"]) for each in inputs]
    return [
        value.normal_(generator=generator)
        if each["kind"] in ("normal", "code")
        else value.uniform_(generator=generator)
        for value, each in zip(empty, inputs, strict=True)
    ]


def _compare(module: nn.Module, function: Function, values: Sequence[Tensor]) -> float:
    wanted, got = module(*values), function(*values)
    return (
        float((wanted - got).abs().max() / wanted.abs().max().clamp_min(1e-12))
        if wanted.shape == got.shape
        else torch.inf
    )

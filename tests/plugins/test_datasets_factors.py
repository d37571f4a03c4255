"""dSprites and 3D Shapes in miniature: pictures, factors, processes, and every spoilt file that is refused by name."""

from __future__ import annotations

import itertools
import math
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from otae.errors import ConfigError, DataError
from otae.testing import DatasetSuite
from otae_datasets import DSprites, Shapes3D, extras

RANDOM = np.random.default_rng(0)
CLASSES = np.array([(0, *each) for each in itertools.product(range(3), range(2), range(2), range(2), [1])])
SPRITES = RANDOM.integers(0, 2, (len(CLASSES), 6, 5), dtype=np.uint8)
ROOMS = RANDOM.integers(0, 256, (12, 5, 4, 3), dtype=np.uint8)
LABELS = np.array([(0.1 * a, 0, 0.5 * b, 1, c, -30.0) for a, b, c in itertools.product(range(2), range(2), range(3))])


class Evil:
    """Creates an object that would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def dsprites(folder: Path, **changes: Any) -> Path:
    arrays = {"imgs": SPRITES, "latents_classes": CLASSES, "latents_values": CLASSES / 4}
    arrays |= {"metadata": np.array(Evil(folder / "harm"), dtype=object)} | changes
    np.savez_compressed(folder / "d.npz", **{key: value for key, value in arrays.items() if value is not None})
    return folder / "d.npz"


def rooms(folder: Path, images: Any = ROOMS, labels: Any = LABELS) -> Path:
    with h5py.File(folder / "r.h5", "w") as file:
        file.create_dataset("images", data=images, compression="gzip") if images is not None else None
        file.create_dataset("labels", data=labels) if labels is not None else None
    return folder / "r.h5"


@pytest.mark.parametrize("scale", ["classes", "values"])
class TestDSprites(DatasetSuite):
    plugin = DSprites

    @pytest.fixture(autouse=True)
    def file(self, scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"path": str(dsprites(tmp_path)), "factors": scale})


@pytest.mark.parametrize("scale", ["classes", "values"])
class TestShapes3D(DatasetSuite):
    plugin = Shapes3D

    @pytest.fixture(autouse=True)
    def file(self, scale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(self), "options", {"path": str(rooms(tmp_path)), "factors": scale})


def test_dsprites_keeps_every_pixel_and_never_unpickles(tmp_path) -> None:
    dataset = DSprites(dsprites(tmp_path))
    assert torch.equal(dataset.__getitems__(range(24))[:, 0], torch.tensor(SPRITES).float())
    assert dataset.factors.names == ("shape", "scale", "orientation", "posX")
    assert torch.equal(dataset.factors.table, torch.tensor(CLASSES[:, 1:5]))
    assert torch.equal(dataset.labels, dataset.factors.table[:, 0])
    assert dataset.class_names == ("square", "ellipse", "heart")
    turn = dataset.factors.kinds[2]
    assert (turn.kind, turn.values, turn.period) == ("circular", (0, 1), pytest.approx(8 * math.pi))  # steps of 1/4
    assert DSprites(tmp_path / "d.npz", factors="values").factors.table.max() == 0.5
    assert not (tmp_path / "harm").exists()


def test_dsprites_needs_an_eighth_of_a_byte_a_pixel(tmp_path) -> None:
    many = np.zeros((5000, 64, 64), np.uint8)
    many[3000, 5, 7] = 1
    classes = np.zeros((5000, 6), np.int64)
    classes[:, 1] = np.arange(5000) % 3
    dataset = DSprites(dsprites(tmp_path, imgs=many, latents_classes=classes, latents_values=classes))
    assert dataset._bits.nbytes == 5000 * 512
    assert dataset[3000].nonzero().tolist() == [[0, 5, 7]]
    assert dataset.__getitems__(range(5000)).sum() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"imgs": None}, "lacks the arrays imgs of dSprites"),
        ({"imgs": SPRITES * 255}, "picture 0 holds a value other than 0 and 1"),
        ({"imgs": SPRITES.astype(float)}, "must hold bytes of shape"),
        ({"imgs": SPRITES[:, 0]}, "must hold bytes of shape"),
        ({"imgs": SPRITES[:0]}, "cannot be read: 'imgs' of shape .* holds no samples"),
        ({"imgs": np.array([Evil(Path("x"))])}, "cannot be read: 'imgs' of shape .* type object"),
        ({"imgs": SPRITES[:9]}, r"factors of shape \(24, 6\).*where 9 samples need"),
        ({"latents_classes": CLASSES[:, :3]}, "factors of shape"),
        ({"latents_classes": np.array([Evil(Path("x"))])}, "holds Python objects.*pickled and never loaded"),
        ({"latents_values": CLASSES * np.nan}, "need finite numbers"),
        ({"latents_values": CLASSES * 0}, "factors that never vary"),
        ({"latents_values": CLASSES * [1, 1, 1, 1, 0, 0]}, "classes and values of its factors that disagree"),
        ({"latents_values": CLASSES[::-1] / 4}, "classes and values of its factors that disagree"),
        (
            {"latents_values": CLASSES * 7},
            r"wrong factors\. The circular factor 'orientation' takes values in \[0, 6\.28",
        ),
    ],
)
def test_a_spoilt_dsprites_is_refused_by_name(tmp_path, changes, message) -> None:
    with pytest.raises(DataError, match=rf"d\.npz'.*{message}"):
        DSprites(dsprites(tmp_path, **changes))
    assert not Path("x").exists()


@pytest.mark.parametrize("kept", [10, 0.5, -1])
def test_a_truncated_dsprites_is_refused_by_name(tmp_path, kept) -> None:
    path = dsprites(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match=r"d\.npz' cannot be read"):
        DSprites(path)


def test_shapes3d_keeps_every_pixel_and_reads_batches_in_any_order(tmp_path) -> None:
    dataset = Shapes3D(rooms(tmp_path))
    assert dataset.data_shape == (3, 5, 4)
    order = [7, 0, 7, 11, 3]
    expected = torch.tensor(ROOMS[order].transpose(0, 3, 1, 2) / 255, dtype=torch.float32)
    torch.testing.assert_close(dataset.__getitems__(order), expected)
    assert dataset.factors.names == ("floor_hue", "object_hue", "shape")
    assert dataset.factors.table[:4].tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 1, 0]]
    assert [kind.period for kind in dataset.factors.kinds] == [pytest.approx(10), 2, None]  # hues in steps of 0.1, 0.5
    values = Shapes3D(tmp_path / "r.h5", factors="values").factors
    assert values.table[3].tolist() == [0, 0.5, 0]
    assert [kind.period for kind in values.kinds] == [1, 1, None]


def as_is(batch: torch.Tensor) -> torch.Tensor:
    """Returns its argument."""
    return batch


@pytest.mark.parametrize("context", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_shapes3d_is_read_by_workers_after_it_was_read_here(tmp_path, context) -> None:
    dataset = Shapes3D(rooms(tmp_path))
    here = dataset.__getitems__(range(12))
    loader = DataLoader(dataset, batch_size=5, num_workers=2, collate_fn=as_is, multiprocessing_context=context)
    assert torch.equal(torch.cat(list(loader)), here)
    assert torch.equal(dataset.__getitems__(range(12)), here)


def test_shapes3d_sends_no_handle_to_another_process(tmp_path) -> None:
    dataset = Shapes3D(rooms(tmp_path))
    assert pickle.loads(pickle.dumps(dataset))._opened == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "lacks the array 'images'; it holds: labels"),
        ({"labels": None}, "lacks the array 'labels'"),
        ({"images": ROOMS[..., 0]}, r"images of shape \(12, 5, 4\)"),
        ({"images": ROOMS.astype("f4")}, "type float32, where bytes"),
        ({"labels": LABELS[:5]}, r"factors of shape \(5, 6\)"),
        ({"labels": LABELS * np.nan}, "need finite numbers"),
    ],
)
def test_a_spoilt_shapes3d_is_refused_by_name(tmp_path, changes, message) -> None:
    with pytest.raises(DataError, match=rf"r\.h5'.*{message}"):
        Shapes3D(rooms(tmp_path, **changes))


@pytest.mark.parametrize("kept", [0, 10, 0.5])
def test_a_truncated_shapes3d_is_refused_by_name(tmp_path, kept) -> None:
    path = rooms(tmp_path)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match=r"r\.h5' cannot be read.*fetch it again"):
        Shapes3D(path)


@pytest.mark.parametrize(("plugin", "name"), [(DSprites, "dsprites"), (Shapes3D, "shapes3d")])
def test_a_missing_file_is_named_with_the_way_to_get_it(tmp_path, monkeypatch, plugin, name) -> None:
    monkeypatch.setenv("OTAE_DATA", str(tmp_path))
    with pytest.raises(
        DataError, match=rf"no file '.*', nor '{tmp_path}/.*'\. Get the data with `otae data fetch {name}`"
    ):
        plugin()


def test_a_missing_package_is_told_with_its_extra() -> None:
    with pytest.raises(ConfigError, match=r"needs the package 'no_such_package'.*pip install 'otae\[hdf5\]'"):
        extras.needed("no_such_package", "hdf5")

"""The sums over pairs by dense blocks, and the choice between them and KeOps."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import naive
import pytest
import torch
from naive import KERNELS, Largest, points, saved_entries

from otae.errors import BackendError
from otae.reductions import Dots, Squares, backend, dense, keops, kernel_mean, kernel_product, log_sum_exp, safe_exp
from otae.reductions.backend import Crossover

MPS, COMPLEX = ("mps", torch.float32), ("cpu", torch.complex64)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the dense backend work in blocks of a few rows."""
    for name in ("_WHOLE", "_BLOCK", "_RECORDED"):
        monkeypatch.setattr(dense, name, 10)


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(backend, "_given_up", set())
    clear = keops.obstacle.cache_clear
    clear()
    yield
    clear()


@pytest.fixture
def keops_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes KeOps the faster backend of the processor, from 12 pairs on."""
    monkeypatch.setitem(backend.CROSSOVERS, "cpu", Crossover(pairs=12, dimension=3))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("size", [2, 9])
@pytest.mark.parametrize("kind", [Squares, Dots])
def test_products_are_those_of_the_whole_matrix(name: str, columns: int, size: int, kind: Any) -> None:
    x, y, values = points(7, size), points(5, size, 1), points(5, columns, 2)
    pairs = kind(x.abs(), y.abs())
    found = kernel_product(KERNELS[name], pairs, values)
    torch.testing.assert_close(found, naive.kernel_product(KERNELS[name], [pairs], values))
    assert found.shape == (7, columns)


def test_a_kernel_may_take_the_numbers_of_several_pairs() -> None:
    several = [Squares(points(7, 3), points(5, 3, 1)), Dots(points(7, 2, 2), points(5, 2, 3))]
    values = points(5, 1, 4)

    def kernel(s: Any, d: Any) -> Any:
        return safe_exp(-s) * (1 + d) ** 2

    torch.testing.assert_close(kernel_product(kernel, several, values), naive.kernel_product(kernel, several, values))


def test_means_weigh_both_sides() -> None:
    x, y, a, b = points(7, 3), points(5, 3, 1), torch.rand(7).double(), torch.rand(5).double()
    truth = a @ naive.numbers(Squares(x, y)) @ b
    torch.testing.assert_close(kernel_mean(lambda s: s, Squares(x, y), a, b), truth)


def test_logarithms_of_sums_are_those_of_torch() -> None:
    pairs = Squares(points(7, 3), points(5, 3, 1))
    truth = torch.logsumexp(-1000 * naive.numbers(pairs), 1)
    torch.testing.assert_close(log_sum_exp(lambda s: -1000 * s, pairs), truth)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("grad", [True, False])
def test_blocks_of_rows_give_the_same_as_one(grad: bool) -> None:
    x, y, values = points(7, 3), points(5, 3, 1), points(5, 2, 2)
    found = kernel_product(KERNELS["gaussian"], Squares(x.requires_grad_(grad), y), values)
    torch.testing.assert_close(found, naive.kernel_product(KERNELS["gaussian"], [Squares(x, y)], values))
    with torch.no_grad():
        soft = log_sum_exp(lambda s: -s, Squares(x, y))
    torch.testing.assert_close(soft, torch.logsumexp(-naive.numbers(Squares(x, y)), 1).detach())


def of_products(*inputs: Any) -> Any:
    x, y, values, width = inputs
    return kernel_product(lambda s: safe_exp(-s / width), Squares(x, y), values)


def of_logarithms(*inputs: Any) -> Any:
    x, y, _, width = inputs
    return log_sum_exp(lambda d: d / width, Dots(x, y))


@pytest.mark.parametrize("in_blocks", [True, False])
@pytest.mark.parametrize("function", [of_products, of_logarithms])
def test_gradients_of_both_orders_are_right(
    function: Callable[..., Any], in_blocks: bool, request: pytest.FixtureRequest
) -> None:
    if in_blocks:
        request.getfixturevalue("blocks")
    sides = points(4, 2), points(3, 2, 1), points(3, 2, 2), torch.tensor([1.3], dtype=torch.float64)
    inputs = [each.requires_grad_() for each in sides]
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_trainable_parameter_of_a_kernel_has_its_gradient(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    x, y, values = points(6, 3, dtype=dtype), points(5, 3, 1, dtype), points(5, 1, 2, dtype)
    width = torch.nn.Parameter(torch.full(shape, 0.7, dtype=dtype))
    found, truth = (
        torch.autograd.grad(product(lambda s: safe_exp(-s / width), pairs, values).sum(), width)[0]
        for product, pairs in ((kernel_product, Squares(x, y)), (naive.kernel_product, [Squares(x, y)]))
    )
    torch.testing.assert_close(found, truth)


@pytest.mark.usefixtures("blocks")
def test_a_trainable_parameter_alone_keeps_no_block_in_memory() -> None:
    x, values = points(50, 3), points(50, 1, 2)
    width = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
    with saved_entries() as saved:
        kernel_product(lambda s: safe_exp(-s / width), Squares(x), values)
    assert sum(saved) < 50 * 50


def test_a_cloud_without_gradient_needs_none() -> None:
    x, y = points(4, 3).requires_grad_(), points(5, 3, 1)
    assert not Squares(x, y).y.requires_grad
    assert Squares(y, x).y.requires_grad


def test_no_tensor_is_larger_than_a_block() -> None:
    x = points(3000, 8, dtype=torch.float32)
    with Largest() as mode:
        kernel_product(KERNELS["gaussian"], Squares(x), x)
        log_sum_exp(lambda s: -s, Squares(x))
    assert mode.entries <= 3000 * 3000 / 4


def test_sums_are_kept_in_single_precision() -> None:
    x, values = points(6, 4, dtype=torch.bfloat16), points(6, 1, 1, torch.bfloat16)
    truth = kernel_product(KERNELS["gaussian"], Squares(x.double()), values.double())
    with torch.autocast("cpu", torch.bfloat16):
        found = kernel_product(KERNELS["gaussian"], Squares(x), values)
        soft = log_sum_exp(lambda s: -s, Squares(x))
    assert found.dtype == soft.dtype == torch.float32
    torch.testing.assert_close(found.double(), truth, rtol=1e-5, atol=1e-6)


def test_the_processor_sums_by_dense_blocks_unless_keops_is_asked_for() -> None:
    pairs = [Squares(torch.zeros(5, 2))]
    assert [backend.choose(each, pairs) for each in ("auto", "dense", "keops")] == ["dense", "dense", "keops"]


@pytest.mark.usefixtures("keops_first")
@pytest.mark.parametrize(
    ("rows", "columns", "size", "expected"),
    [(4, 3, 3, "keops"), (4, 2, 3, "dense"), (4, 3, 4, "dense")],
    ids=["large enough", "too few pairs", "too many dimensions"],
)
def test_the_faster_backend_is_chosen_by_size(
    monkeypatch: pytest.MonkeyPatch, rows: int, columns: int, size: int, expected: str
) -> None:
    monkeypatch.setattr(keops, "obstacle", lambda *_: None)
    assert backend.choose("auto", [Squares(torch.zeros(rows, size), torch.zeros(columns, size))]) == expected


def test_large_problems_on_a_gpu_are_left_to_keops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keops, "obstacle", lambda *_: None)
    x = SimpleNamespace(device=torch.device("cuda"), dtype=torch.float32, shape=(10**4, 16))
    pairs: Any = [SimpleNamespace(x=x, shape=(10**4, 10**4))]
    assert backend.choose("auto", pairs) == "keops"
    pairs[0].shape = (100, 100)
    assert backend.choose("auto", pairs) == "dense"


def test_an_unknown_backend_is_named_with_the_known_ones() -> None:
    with pytest.raises(BackendError, match=r"No backend named 'keop'. Known: auto, dense, keops. Did you mean 'keops'"):
        kernel_product(KERNELS["gaussian"], Squares(points(2, 2)), points(2, 1), backend="keop")  # type: ignore[arg-type]


@pytest.mark.usefixtures("keops_first")
def test_where_keops_cannot_compute_the_dense_blocks_answer_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keops.library, "find_spec", lambda name: None)
    x, values = points(4, 3), points(4, 1)
    with pytest.warns(RuntimeWarning, match="stay with the backend 'dense' here. KeOps is not installed") as caught:
        found = [kernel_product(KERNELS["rational"], Squares(x), values) for _ in range(3)]
    assert len(caught) == 1
    torch.testing.assert_close(found[2], naive.kernel_product(KERNELS["rational"], [Squares(x)], values))


@pytest.mark.usefixtures("keops_first")
def test_where_keops_fails_the_dense_blocks_answer_with_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise BackendError("KeOps could not compile.")

    monkeypatch.setattr(keops, "obstacle", lambda *_, **__: None)
    monkeypatch.setattr(keops, "load", fail)
    from otae.reductions.keops import lazy

    lazy._symbol.cache_clear()
    pairs = Squares(points(4, 3))
    with pytest.warns(RuntimeWarning, match="KeOps could not compile"):
        found = log_sum_exp(lambda s: -s, pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.testing.assert_close(log_sum_exp(lambda s: -s, pairs), found)
    with pytest.raises(BackendError, match="KeOps could not compile"):
        log_sum_exp(lambda s: -s, pairs, backend="keops")


@pytest.mark.parametrize(
    ("asked", "found", "reason"),
    [
        (MPS, {}, "KeOps computes on CPU and CUDA, not on 'mps'. Use the backend 'dense'"),
        (COMPLEX, {}, r"single and double precision, not in torch.complex64. Convert the points with .float\(\)"),
        (("cpu", torch.float32), {"find_spec": lambda _: None}, "not installed. Install it by `pip install pykeops`"),
        (("cpu", torch.float32), {"compiler": lambda: None}, "no C.. compiler. Install one.*set the environment.*CXX"),
        (
            ("cuda", torch.float32),
            {"compiler": lambda: "g++", "load": lambda: SimpleNamespace(config=SimpleNamespace(gpu_available=False))},
            "found no CUDA.*libnvrtc.*set CUDA_PATH",
        ),
    ],
    ids=["device", "dtype", "not installed", "no compiler", "no CUDA"],
)
def test_what_stands_in_the_way_of_keops_is_said_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, torch.dtype], found: dict[str, Any], reason: str
) -> None:
    for name, value in found.items():
        monkeypatch.setattr(keops.library, name, value)
    with pytest.raises(BackendError, match=reason):
        raise BackendError(keops.obstacle(*asked))


def test_nothing_stands_in_the_way_where_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keops.library, "compiler", lambda: "g++")
    assert keops.obstacle("cpu", torch.float64) is None


def test_results_kept_on_disk_need_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keops.library, "compiler", lambda: None)
    assert keops.obstacle("cpu", torch.float64, compiling=False) is None


def test_asking_for_keops_where_it_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keops.library, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match="KeOps is not installed"):
        kernel_product(KERNELS["gaussian"], Squares(points(2, 2)), points(2, 1), backend="keops")

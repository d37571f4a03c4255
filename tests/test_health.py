"""The health of plugins that were not imported, judged from their source."""

from __future__ import annotations

import compileall
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otae.discovery import Offer
from otae.health import fault
from otae.registry import registries

NUMBERS = itertools.count()


@pytest.fixture(params=["source", "compiled"])
def judged(install: Callable[..., Path], request: pytest.FixtureRequest) -> Callable[[dict[str, str]], str | None]:
    """Returns a function that installs a package of these modules, as source or compiled too, and judges it."""

    def judge(modules: dict[str, str]) -> str | None:
        package = f"judged{next(NUMBERS)}"
        site = install(
            package, "", {f"{package}/{name}.py": text.replace("PACKAGE", package) for name, text in modules.items()}
        )
        if request.param == "compiled":
            compileall.compile_dir(site / package, quiet=2)
        verdict = fault(Offer("mine", package, "1.0", f"{package}:Mine"))
        assert package not in sys.modules
        return verdict and verdict.replace(package, "PACKAGE")

    return judge


@pytest.mark.parametrize("modules", [
    {"__init__": ""},
    {"__init__": "import json, os.path\nfrom torch import nn\nimport sys\nraise RuntimeError('only when imported')"},
    {"__init__": "from .inner import Mine", "inner": "from .deeper import x", "deeper": "x = 1"},
    {"__init__": "from PACKAGE.inner import Mine", "inner": "Mine = 1"},
    {"__init__": "from .inner import a", "inner": "from .other import b", "other": "from .inner import a"},
    {"__init__": "try:\n    import no_such_package\nexcept ImportError:\n    pass"},
    {"__init__": "def later():\n    import no_such_package"},
    {"__init__": '"""Takes numbers\nfrom no_such_package import x\nimport no_such_package\n"""'},
])  # fmt: skip
def test_what_can_be_imported_is_in_good_health(
    judged: Callable[[dict[str, str]], str | None], modules: dict[str, str]
) -> None:
    assert judged(modules) is None


@pytest.mark.parametrize(("modules", "reason"), [
    ({"__init__": "import no_such_package"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "import json, no_such_package.inner as x"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "from no_such_package.inner import x"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "x = 1\ndef broken(:"}, "__init__.py, line 2: invalid syntax"),
    ({"__init__": "import sys; import no_such_package"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "x = 1; from no_such_package import x"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "from \\\n  no_such_package import x"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "from no_such_package import (\n  x,\n)"}, "needs 'no_such_package', which is not installed"),
    ({"__init__": "from .gone import x"}, "no module 'PACKAGE.gone'"),
    ({"__init__": "from .inner import x", "inner": "import no_such_package"},
     "needs 'no_such_package', which is not installed"),
    ({"__init__": "from .inner import x", "inner": "x = (1"}, "inner.py, line 1: '(' was never closed"),
    ({"__init__": "from .sub.leaf import x", "sub/__init__": ""}, "no module 'PACKAGE.sub.leaf'"),
    ({"__init__": "from .sub import x", "sub/__init__": "from .leaf import x", "sub/leaf": "from ..base import x",
      "base": "import no_such_package"}, "needs 'no_such_package', which is not installed"),
])  # fmt: skip
def test_what_cannot_be_imported_is_told_with_the_reason(
    judged: Callable[[dict[str, str]], str | None], modules: dict[str, str], reason: str
) -> None:
    assert judged(modules) == reason


def test_a_file_that_changed_after_it_was_compiled_is_read_anew(judged: Callable[[dict[str, str]], str | None]) -> None:
    assert judged({"__init__": "from .inner import x", "inner": "x = 1"}) is None
    inner = next(Path(sys.path[0]).glob("judged*/inner.py"))
    inner.write_text("x = (1")
    package = inner.parent.name
    assert fault(Offer("mine", package, "1.0", f"{package}:Mine")) == "inner.py, line 1: '(' was never closed"


@pytest.mark.parametrize("value", ["no_such_module:Mine", "no_such_package.inner:Mine", "", "a..b:C", "not a name"])
def test_a_missing_module_is_told(value: str) -> None:
    module = value.partition(":")[0]
    assert fault(Offer("mine", "stranger", "1.0", value)) == f"no module {module!r}"


@pytest.mark.slow
def test_the_plugins_that_come_along_are_in_good_health() -> None:
    judged = {offer.value: fault(offer) for registry in registries().values() for offer in registry.offers()}
    assert {value: reason for value, reason in judged.items() if reason} == {}

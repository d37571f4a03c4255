"""The places to fetch MNIST and its family from, and the names of their classes."""

from __future__ import annotations

from collections.abc import Mapping

from otae.interfaces import Download, Source

CLASS_NAMES: Mapping[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "fashionmnist": (
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
}
"""The names of the classes, by that of the folder, in lower case and without hyphens."""

_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _downloads(url: str, folder: str, sums: Mapping[int, str]) -> tuple[Download, ...]:
    return tuple(
        Download(f"{url}/{name}", f"{folder}/raw/{name}", f"sha256:{digest}", size)
        for name, (size, digest) in zip(_FILES, sums.items(), strict=True)
    )


SOURCES = (
    Source(
        "mnist",
        "70,000 handwritten digits, grey, 28×28",
        "https://yann.lecun.com/exdb/mnist/",
        _downloads(
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "MNIST",
            {
                9912422: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                28881: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                1648877: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                4542: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            },
        ),
    ),
    Source(
        "fashion-mnist",
        "70,000 articles of clothing, grey, 28×28",
        "https://github.com/zalandoresearch/fashion-mnist",
        _downloads(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "FashionMNIST",
            {
                26421880: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                29515: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                4422102: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                5148: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            },
        ),
    ),
    Source(
        "kmnist",
        "70,000 cursive Japanese characters, grey, 28×28",
        "https://github.com/rois-codh/kmnist",
        _downloads(
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist",
            "KMNIST",
            {
                18165135: "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                29497: "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                3041136: "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                5120: "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            },
        ),
    ),
)

"""Pushing: a run's folder to the Hub."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import ConfigError
from ..hub import parse_address
from ..hub.library import find_endpoint, load_library, telling
from ..run import Run
from .folder import write_folder


def push(run: str | Path | Run, repository: str, *, private: bool = False, message: str | None = None) -> str:
    """Publishes a trained run on the Hub, and returns the address of the commit.

    Args:
        run: The run, or its folder.
        repository: The repository, as `user/name`; it is made where it is not there.
        private: Whether a new repository is private.
        message: The message of the commit.

    Raises:
        RunError: If the run was not trained to its end, or the Hub refuses it, such as without a login.
        ConfigError: If the name is of another form.
    """
    address = parse_address(repository)
    if address.revision is not None:
        raise ConfigError(f"A push goes to the main branch: write {address.repository}, without @{address.revision}.")
    trained = run if isinstance(run, Run) else Run(run)
    library = load_library()
    api = library.HfApi(endpoint=find_endpoint(), library_name="otae")
    with TemporaryDirectory() as scratch:
        folder = write_folder(trained, Path(scratch) / "run", address.repository)
        with telling(f"{trained.path} cannot be pushed to {address}"):
            api.create_repo(address.repository, private=private, exist_ok=True)
            said = message or f"Add {trained.experiment.title}"
            done = api.upload_folder(repo_id=address.repository, folder_path=folder, commit_message=said)
    return str(done.commit_url)

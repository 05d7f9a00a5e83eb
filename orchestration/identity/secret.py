"""The project secret that profile ids are keyed with: from the environment, or a file made once.

Losing it changes every profile id; it belongs into the back-up with landing and the ledger.
"""

import os
import secrets
from pathlib import Path

VARIABLE = "MUSTER_PROJECT_SECRET"


def project_secret() -> bytes:
    """`MUSTER_PROJECT_SECRET`, or the content of `MUSTER_HOME/project_secret`, made if absent."""
    value = os.environ.get(VARIABLE)
    if value:
        return value.encode()
    path = Path(os.environ.get("MUSTER_HOME", "../var")) / "project_secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written under another name first: a process killed here leaves no half secret.
        temporary = path.with_suffix(".new")
        temporary.write_text(secrets.token_hex(32))
        temporary.chmod(0o600)
        temporary.replace(path)
    return path.read_text().strip().encode()

"""The README's journey, as it stands: what a newcomer pastes must work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import LiveServer

ROOT = Path(__file__).parent.parent


def test_the_journey_of_the_readme_can_be_pasted(live_server: LiveServer, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 8
    (tmp_path / "skills-registry").write_text(f'#!/bin/sh\nexec {sys.executable} -m api.commands "$@"\n')
    (tmp_path / "skills-registry").chmod(0o755)
    # The README's first line puts .venv/bin first; wherever the tests run, the same interpreter must answer.
    preset = blocks[0].replace('export PATH="$PWD/.venv/bin:$PATH"', f'export PATH="{tmp_path}:$PATH"')
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join([preset, *blocks[1:]])],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "REGISTRY": live_server.url,
            "REGISTRY_VAR": str(live_server.var),
            "PUBLIC_URL": live_server.url,
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "有效 Valid" in done.stdout
    assert "真实，当前状态未知" in done.stdout

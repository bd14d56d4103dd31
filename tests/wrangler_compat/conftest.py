"""Fixtures for configuration."""

from pathlib import Path

import pytest

from tests.wrangler_compat.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)

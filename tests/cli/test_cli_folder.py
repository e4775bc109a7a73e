"""What the maestro.yaml of the folder one is in may decide, and how that is said."""

from __future__ import annotations

from pathlib import Path

from tests.cli.program import maestro

NEAR = "current_context: near\ncontexts: {near: {namespace: ml, cluster: {kubeconfig: nowhere}}}\n"


def test_a_change_says_that_the_folder_chose_its_context(tmp_path: Path) -> None:
    near = tmp_path / "maestro.yaml"
    near.write_text(NEAR)
    result = maestro("rollback", "deploy/x", "--yes", cwd=tmp_path)
    assert result.code == 3  # there is no kubeconfig
    assert result.err.splitlines()[0] == f"the context near is chosen and defined by {near}"
    assert "chosen" not in maestro("context", "list", cwd=tmp_path).err


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    near = tmp_path / "maestro.yaml"
    near.write_text(NEAR)
    near.chmod(0o666)
    result = maestro("context", "list", cwd=tmp_path)
    assert (result.code, result.out) == (20, "")
    assert result.error_lines[0] == f"{near} is not trusted"
    assert maestro("--version", cwd=tmp_path).code == 0

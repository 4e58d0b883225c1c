"""matplotlib's own tests of its writers pass with this one, too."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

TESTS = Path(matplotlib.__file__).parent / "tests" / "test_animation.py"
NAMES = {  # where its tests name a writer, and what is written instead
    "    ('pillow', 'movie.gif'),": "    ('imageio', 'movie.gif'), ('imageio', 'movie.mp4'),",
    "writer='pillow')": "writer='imageio')",
    "parametrize('writer', [": "parametrize('writer', [\n    'imageio',",
}


@pytest.mark.slow
@pytest.mark.skipif(not TESTS.exists(), reason="matplotlib was installed without its tests")
def test_matplotlibs_tests_pass(tmp_path: Path) -> None:
    text = TESTS.read_text(encoding="utf-8")
    for named, instead in NAMES.items():
        assert text.count(named) == 1
        text = text.replace(named, instead)
    (tmp_path / "test_animation.py").write_text(f"import optiviz.writers\n{text}", "utf-8")
    settings = "from matplotlib.testing.conftest import *\n"
    (tmp_path / "conftest.py").write_text(settings, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line"]
    command += ["-W", "ignore::DeprecationWarning"]
    own = {name: each for name, each in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run([*command, "."], cwd=tmp_path, env=own, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert " failed" not in ended.stdout and int(ended.stdout.split(" passed")[0].split()[-1]) > 50

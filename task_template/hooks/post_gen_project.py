"""Remove bytecode: pip compiles the files of an installed template, and cookiecutter copies that."""

import shutil
from pathlib import Path

for folder in list(Path.cwd().rglob("__pycache__")):
    shutil.rmtree(folder)

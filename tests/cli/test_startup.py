import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
HEAVY = ("aio_pika", "aiormq", "lxml", "xmlschema", "pydantic")


def test_help_answers_without_loading_the_client_or_the_schemas() -> None:
    code = (
        "import sys, gateway.cli as cli\n"
        "sys.argv = ['cimgate', '--help']\n"
        "try:\n    cli.main()\n"
        f"finally:\n    print('loaded:', [name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True)
    assert "validate" in done.stdout
    assert "loaded: []" in done.stdout

"""`python -m gateway.cli` is `cimgate`."""

from gateway.cli import main

main()

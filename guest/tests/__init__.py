"""Tests of the guest package: `python3 -m unittest discover -s guest/tests -t guest`."""

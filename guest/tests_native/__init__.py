"""Tests of the native Python that need no box: `python -m unittest discover -s guest/tests_native -t guest`."""

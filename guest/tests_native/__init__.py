"""Tests of the native backend's own Python that need no box. Run: `python -m unittest discover -s guest/tests_native -t guest`."""

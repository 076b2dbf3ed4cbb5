"""What stands between a cell and the machine, one kernel facility per module."""

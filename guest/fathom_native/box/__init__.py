"""The walls between a cell and the machine, one kernel facility per module."""

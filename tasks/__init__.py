"""The journey, one room for each stage: intake, split, transform, merge, verify; notify tells of each."""

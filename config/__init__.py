"""What differs between two deployments without a change of code."""

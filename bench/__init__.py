"""Speed, as ratios against a floor measured in the same run: these machines are noisy, seconds mean little."""

"""Status → a webhook: the firm hears of each change once, signed, and can tell a repeat."""

"""Part → PartOutcome: columns in, columns out. A pure function, so parts run in parallel and in any order."""

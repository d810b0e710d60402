"""The parts of `fncast evaluate`: the evaluated model, the classical methods, the warnings, the tables."""

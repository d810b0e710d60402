"""The parts of `fncast train`: what it starts from, the data, the candidates, the run."""

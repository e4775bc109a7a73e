"""The checks that an experiment has to get past: one module each, found by name here."""

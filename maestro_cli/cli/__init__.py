"""The command line: parse, call one use case, emit. No logic, no printing."""

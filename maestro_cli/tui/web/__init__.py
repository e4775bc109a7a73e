"""The console in a browser of this machine. Invariant: it listens on 127.0.0.1 alone, nothing is answered to
whom the door does not know, and a console that was started here ends with the server."""

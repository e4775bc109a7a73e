"""What fills the body. Invariant: a view renders facts of the snapshot that it named, and posts messages."""

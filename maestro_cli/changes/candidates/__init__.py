"""Which revisions a rollback may go to, and what speaks for and against each."""

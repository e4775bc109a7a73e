"""What is paid for and used by nobody, each with its evidence and what would end it."""

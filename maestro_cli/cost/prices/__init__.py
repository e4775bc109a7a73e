"""Prices as data: read from files, asked by instant, so that an old report comes out the same again."""

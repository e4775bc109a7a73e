"""The events of incidents in words: a table of kinds each, which the timeline reads one after another."""

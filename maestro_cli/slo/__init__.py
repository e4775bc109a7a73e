"""Objectives, burn, and the rules that alert on it."""

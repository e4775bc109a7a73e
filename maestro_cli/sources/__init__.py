"""One module an outside system; each translates its system and its errors."""

"""How large containers should be: what they used, three rules beside each other, and what forbids a cut."""

"""What a change of manifests will cost a month, before it is made."""

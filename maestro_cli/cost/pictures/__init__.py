"""Where things lie in a picture of costs: figures and places, no colour and no word."""

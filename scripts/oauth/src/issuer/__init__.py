"""The parts that the auth worker and the token worker of the OAuth server share."""

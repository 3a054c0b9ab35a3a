"""The worker that decides: the herder, what the leader does, and the topics that hold the state."""

"""Find devices on the network and tell what they are."""

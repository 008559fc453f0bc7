"""What is wrong, in Chinese too: the sentences of the sources, each with its Chinese."""

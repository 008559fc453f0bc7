"""The life of meters: what happened to them that their registers alone cannot tell."""

"""Bills of suppliers, and why they are not what the meters and the tariffs say."""

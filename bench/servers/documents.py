"""What the servers of the load json answer with; nginx and workerd.js have the same."""

MESSAGE = {"message": "Hello, World!", "numbers": [1, 2, 3], "nested": {"yes": True}}

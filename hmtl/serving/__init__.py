"""The server: a page that shows what is in a text, and the same as JSON for programs."""

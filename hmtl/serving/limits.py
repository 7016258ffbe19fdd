"""What the demo's server takes from its clients. The command line shows it, so this imports nothing."""

from dataclasses import dataclass

# What this machine calls itself.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Limits:
    """
    # Parameters

    max_text_length : `int`
        Characters (Unicode code points) of one text.
    max_texts : `int`
        Texts of one request.
    max_body_bytes : `int`
        Bytes of a request's body.
    max_buffered_bytes : `int`
        Bytes of the bodies of all requests that are not answered yet.
    max_request_seconds : `int`
        How long a request may take to arrive, from its first byte to its last.
    max_waiting : `int`
        Texts that may wait for the model; requests beyond that are told to come back.
    max_batch_texts, max_batch_characters : `int`
        What is given to the model at once: so many texts, and, unless it is a single one, so many
        characters in all. They bound how long a short text waits behind others.
    """

    max_text_length: int = 5_000
    max_texts: int = 64
    max_body_bytes: int = 2**20
    max_buffered_bytes: int = 2**25
    max_request_seconds: int = 30
    max_waiting: int = 1024
    max_batch_texts: int = 32
    max_batch_characters: int = 20_000

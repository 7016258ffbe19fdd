"""Finding the text in instances of any reader, whatever it calls the field."""

from typing import Iterable, Iterator, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.fields import TextField

from hmtl.data.batching import TEXT


def with_text(
    instances: Iterable[Instance], text_field: Optional[str], where: str
) -> Iterator[Instance]:
    """
    Yield the instances with the field that is encoded under the name `text`.

    # Parameters

    instances : `Iterable[Instance]`
        Changed in place where the field has another name.
    text_field : `str`, optional
        What the reader calls it; `None` takes `text`, or else the one `TextField` that there is.
    where : `str`
        The path of the task's `data_params` in the config, for messages.

    # Raises

    ConfigurationError
        When it is not known which field it is; tells which there are.
    """
    for instance in instances:
        if text_field is not None or not isinstance(instance.fields.get(TEXT), TextField):
            fields = instance.fields
            name = _name_of_text(instance, text_field, where)
            instance.fields = {TEXT: fields.pop(name), **fields}
        yield instance


def _name_of_text(instance: Instance, text_field: Optional[str], where: str) -> str:
    texts = [name for name, field in instance.fields.items() if isinstance(field, TextField)]
    if text_field in texts or (text_field is None and len(texts) == 1):
        name = text_field or texts[0]
        if name == TEXT or TEXT not in instance.fields:
            return name
    kinds = ", ".join(
        f"{name} ({type(field).__name__})" for name, field in sorted(instance.fields.items())
    )
    raise ConfigurationError(
        f"{where}.text_field is {text_field!r}, and the reader's instances have the fields {kinds}. Name the "
        "TextField that is to be encoded; it becomes the field 'text', of which there may be no other."
    )

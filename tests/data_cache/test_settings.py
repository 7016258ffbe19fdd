from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.data_cache.settings import CacheSettings


@pytest.mark.parametrize(
    "block, environ, directory",
    [
        ({"directory": "/a"}, {"HMTL_CACHE_DIR": "/b"}, Path("/a")),
        ({}, {"HMTL_CACHE_DIR": "/b", "XDG_CACHE_HOME": "/c"}, Path("/b")),
        ({}, {"XDG_CACHE_HOME": "/c"}, Path("/c/hmtl")),
        ({}, {}, Path.home() / ".cache" / "hmtl"),
        ({}, {"HMTL_CACHE_DIR": "off"}, None),
        ({"directory": "off"}, {}, None),
    ],
)
def test_the_config_goes_before_the_environment(block, environ, directory) -> None:
    assert CacheSettings.of(block, environ).directory == directory


def test_a_negative_size_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="cache.max_corpora_gigabytes is -1"):
        CacheSettings.of({"max_corpora_gigabytes": -1}, {})

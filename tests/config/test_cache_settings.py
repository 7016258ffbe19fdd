from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.cache_settings import CacheSettings
from hmtl.config.schema import CacheConfig


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
    assert CacheSettings.of(CacheConfig.of(block), environ).directory == directory


@pytest.mark.parametrize(
    "block, environ",
    [({"directory": "~nobody-here/a"}, {}), ({}, {"HMTL_CACHE_DIR": "~nobody-here"})],
)
def test_an_unknown_user_is_an_error(block, environ) -> None:
    with pytest.raises(
        ConfigurationError, match="'~nobody-here.*no such user.*cache.directory or HMTL"
    ):
        CacheSettings.of(CacheConfig.of(block), environ)

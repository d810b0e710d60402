"""Routes: valid and invalid targets."""

import pytest

from interceptor.routes.route import Route


@pytest.mark.parametrize("target", ["fn:app", "fn:/f", "fn:a/b/c", "ftp://x", "forecast"])
def test_an_invalid_target_is_rejected(target):
    with pytest.raises(ValueError, match="route 'x'"):
        Route("x", target, batch=True)

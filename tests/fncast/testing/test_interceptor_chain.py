"""The chain of a test: names, classes and objects."""

from consumer.settings import Settings
from fncast.testing.interceptor_chain import FIRST, with_chain
from interceptor.contract import Interceptor


class Mine(Interceptor):
    """Does nothing."""


def test_the_chain_of_the_settings_is_used_without_another() -> None:
    settings = Settings()
    changed, interceptors = with_chain(settings, [], Mine())
    assert changed.interceptors.chain == (FIRST, *settings.interceptors.chain)
    assert list(interceptors) == [FIRST]


def test_classes_and_objects_get_separate_names() -> None:
    given = Mine()
    changed, interceptors = with_chain(Settings(), ["route", Mine, given], Mine())
    first, route, of_class, of_object = changed.interceptors.chain
    assert (first, route) == (FIRST, "route")
    assert isinstance(interceptors[of_class], Mine)
    assert interceptors[of_object] is given

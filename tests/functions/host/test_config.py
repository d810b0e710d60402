"""The configuration of a function: what may be a variable of its process."""

import pytest

from functions.host.api import Api
from functions.host.pool import ProcessPool
from tests.functions.host.api_calls import get, put


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("A=B", "c", "'A=B' is not a variable name"),
        ("", "c", "'' is not a variable name"),
        ("A\u0000", "c", "is not a variable name"),
        ("A B", "c", "'A B' is not a variable name"),
        ("1A", "c", "'1A' is not a variable name"),
        ("É", "c", "'É' is not a variable name"),
        ("A\n\u001b[2J", "c", "is not a variable name"),
        ("A", "b\u0000c", "'A' has a NUL"),
        ("A", 1, "'A' must have a string"),
        ("A", None, "'A' must have a string"),
        ("A", ["b"], "'A' must have a string"),
        ("A", "x" * 200_000, "'A' has a value of more than 100000 bytes"),
        ("A", "é" * 60_000, "'A' has a value of more than 100000 bytes"),
        *(
            (name, "x", f"'{name}' is reserved")
            for name in (
                "LD_PRELOAD",
                "LD_LIBRARY_PATH",
                "LD_",
                "PYTHONPATH",
                "PYTHONSTARTUP",
                "PYTHON",
                "PATH",
                "HOME",
                "FN_LISTENER",
                "FN_FN_ID",
                "DYLD_INSERT_LIBRARIES",
                "GLIBC_TUNABLES",
                "TMPDIR",
                "SSL_CERT_FILE",
                "SSL_CERT_DIR",
                "SSLKEYLOGFILE",
                "REQUESTS_CA_BUNDLE",
                "CURL_CA_BUNDLE",
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
                "OPENSSL_CONF",
                "MALLOC_CONF",
                "_RJEM_MALLOC_CONF",
                "MALLOC_ARENA_MAX",
                "VIRTUAL_ENV",
            )
        ),
        ("PATH", "", "'PATH' is reserved"),
    ],
)
def test_an_invalid_configuration_is_rejected_as_a_whole(
    api: Api, other: ProcessPool, key: str, value: object, error: str
) -> None:
    assert put(api, config={"KEPT": "1"})[0] == 200
    before = get(api, "/v2/fns", name="other"), other.variables
    status, document = put(api, image="new", config={"GOOD": "1", key: value})
    assert status == 400
    assert error in document["message"]
    assert document["message"].isprintable()
    assert (get(api, "/v2/fns", name="other"), other.variables) == before


def test_the_size_of_a_configuration_is_bounded(api: Api) -> None:
    for number in range(10):
        put(api, config={f"A{number}": "x" * 99_000})
    status, document = put(api, config={"B": "x" * 99_000})
    assert status == 400
    assert "more than 1000000 bytes" in document["message"]


@pytest.mark.parametrize("key", ["SSL", "TMPFILE", "OPENBLAS_NUM_THREADS", "HTTPS_PROXY", "ENV", "MALLOC"])
def test_a_name_that_does_not_change_the_process_is_accepted(api: Api, key: str) -> None:
    assert put(api, config={key: "1"})[0] == 200

"""Random events, and their attributes as the CloudEvents SDK reads them."""

import string

from cloudevents.core.v1.event import CloudEvent
from hypothesis import strategies as st

names = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12).filter(
    lambda name: (
        name
        not in {
            "data",
            "id",
            "source",
            "type",
            "specversion",
            "subject",
            "time",
            "datacontenttype",
            "dataschema",
        }
    )
)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def sent_attributes(event: CloudEvent) -> dict[str, object]:
    """Return the SDK's attributes without `time`, which the SDK adds to an event that has none."""
    return {name: value for name, value in event.get_attributes().items() if name != "time"}

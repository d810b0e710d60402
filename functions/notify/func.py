"""The Fn function `notify`: passes each request of the FDK to the notifier. The FDK loads this file by its path."""

import io
import json
import os

from fdk import context, response
from notifier import Notifier, post, read_request

BATCH_TYPE = "application/cloudevents-batch+json"
EVENT_TYPE = "application/cloudevents+json"

notifier = Notifier(os.environ, post)


def handler(ctx: context.InvokeContext, data: io.BytesIO) -> response.Response:
    """Answer CloudEvents in JSON with CloudEvents. A rejection is an event too, so the status is always 200."""
    events, is_batch = read_request(data.getvalue())
    answers = notifier.answer(events)
    body = json.dumps(answers if is_batch else answers[0])
    content_type = BATCH_TYPE if is_batch else EVENT_TYPE
    return response.Response(ctx, response_data=body, headers={"Content-Type": content_type})

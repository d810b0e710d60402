"""The Fn function `notify`: passes each request of the FDK to the notifier. The FDK loads this file by its path."""

import io
import json
import os

from fdk import context, response
from notifier import Notifier, post

BATCH_TYPE = "application/cloudevents-batch+json"
EVENT_TYPE = "application/cloudevents+json"

notifier = Notifier(os.environ, post)


def handler(ctx: context.InvokeContext, data: io.BytesIO) -> response.Response:
    """Answer CloudEvents in JSON with CloudEvents, so the status is always 200."""
    document = json.loads(data.getvalue())
    is_batch = isinstance(document, list)
    answers = notifier.answer(document if is_batch else [document])
    body = json.dumps(answers if is_batch else answers[0])
    content_type = BATCH_TYPE if is_batch else EVENT_TYPE
    return response.Response(ctx, response_data=body, headers={"Content-Type": content_type})

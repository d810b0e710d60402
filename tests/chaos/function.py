"""A fake Fn server whose function takes a moment, and dies of poison. usage: function.py PORT"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from aiohttp import web


def main(port: int) -> None:
    async def apps(_):
        return web.json_response({"items": [{"id": "a"}]})

    async def functions(_):
        endpoint = f"http://127.0.0.1:{port}/invoke/f"
        return web.json_response(
            {"items": [{"id": "f", "annotations": {"fnproject.io/fn/invokeEndpoint": endpoint}}]}
        )

    async def invoke(request):
        events = json.loads(await request.read())
        await asyncio.sleep(random.random() * 0.03)
        if any(event["data"].get("poison") for event in events):
            return web.json_response({"message": "function failed"}, status=502)
        answers = [
            {
                "specversion": "1.0",
                "id": "own",
                "source": "chaos/function",
                "type": "io.fncast.forecast.v1",
                "causationid": event["id"],
                "causationsource": event["source"],
                "data": {"values": [1.0]},
            }
            for event in events
        ]
        return web.Response(
            body=json.dumps(answers).encode(), content_type="application/cloudevents-batch+json"
        )

    app = web.Application(client_max_size=1 << 26)
    app.add_routes([web.get("/v2/apps", apps), web.get("/v2/fns", functions), web.post("/invoke/f", invoke)])
    web.run_app(app, host="127.0.0.1", port=port, print=None, handle_signals=False)


if __name__ == "__main__":
    main(int(sys.argv[1]))

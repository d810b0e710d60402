"""What a competent user writes without fncast: one event a call, kept in order by one worker a partition.

Three processes: a consumer (confluent-kafka and aiohttp with kept-alive connections), a function (aiohttp and orjson)
and a model service (aiohttp and LiteRT), which scores one window a request.
"""

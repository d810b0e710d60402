# The images of docker-compose.yml. EXTRAS names the extras of setup.cfg that an image installs: one for each process.
# Target `functions` adds the function that the host runs. Target `forecast` is this function for an Fn server.
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY . .
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.11-slim AS fncast
ENV HOME=/tmp PYTHONUNBUFFERED=1
WORKDIR /tmp
# /models belongs to the user, and so does a volume that is first mounted there.
RUN mkdir /models && chown 1000:1000 /models
# Dependencies come before fncast itself, so that a changed line of code does not install them again.
COPY setup.cfg pyproject.toml constraints.txt /source/
ARG EXTRAS
RUN cd /source && touch README.md LICENSE \
    && python -m pip install --no-cache-dir --constraint constraints.txt ".[$EXTRAS]"
COPY --from=wheel /wheel /wheel
RUN python -m pip install --no-cache-dir --no-deps --force-reinstall /wheel/*.whl
USER 1000:1000
ENTRYPOINT ["fncast"]

FROM fncast AS functions
COPY functions/forecast /functions/forecast

# The same image as `fn deploy` builds with the Dockerfile in functions/forecast, which sees only that folder.
FROM python:3.11-slim AS forecast-build
COPY functions/forecast/requirements.txt /build/
RUN python -m pip install --no-cache-dir --no-deps --target /python -r /build/requirements.txt
COPY --from=wheel /wheel /wheel
RUN python -m pip install --no-cache-dir --no-deps --target /python /wheel/*.whl

FROM python:3.11-slim AS forecast
ENV PYTHONPATH=/function:/python PYTHONUNBUFFERED=1 OPENBLAS_NUM_THREADS=1
COPY --from=forecast-build /python /python
COPY functions/forecast/*.py /function/
USER 1000:1000
ENTRYPOINT ["/python/bin/fdk", "/function/func.py", "handler"]

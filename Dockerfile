# lodpipe serve in a container; docs/serve.md says how. The publication's folder is mounted at /publication.
# The base can be named with its digest: docker build --build-arg BASE=python:3.12-slim@sha256:…
ARG BASE=python:3.12-slim
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/lodpipe
COPY requirements.lock /src/
RUN /opt/lodpipe/bin/pip install --require-hashes --only-binary :all: -r /src/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY pipeline /src/pipeline
RUN /opt/lodpipe/bin/pip install --no-deps --no-build-isolation /src

FROM ${BASE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin lodpipe
COPY --from=build /opt/lodpipe /opt/lodpipe
ENV PATH=/opt/lodpipe/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /publication
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
ENTRYPOINT ["lodpipe", "serve", "--host", "0.0.0.0", "--port", "8000"]

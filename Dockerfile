# One image for gateway, edge, simulator and the preparing of a stack: `docker build -t jieneng:0.1.0 .`
# For another machine: `docker buildx build --platform linux/arm64 …`.
ARG NODE=node:22.19.0-bookworm-slim
ARG PYTHON=python:3.11.13-slim-bookworm

# The page is the same on every machine: it is built on the one that builds.
FROM --platform=$BUILDPLATFORM ${NODE} AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM ${PYTHON} AS installed
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY deploy/locks/ /src/deploy/locks/
# Every file is held against its hash; nothing is compiled.
RUN python -m venv /opt/jieneng \
    && /opt/jieneng/bin/pip install --require-hashes --only-binary=:all: -r /src/deploy/locks/runtime.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary=:all: -r /src/deploy/locks/build.lock
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY energy/ energy/
COPY collectors/ collectors/
COPY analytics/ analytics/
COPY adapters/ adapters/
COPY edge/ edge/
COPY gateway/ gateway/
COPY jieneng/ jieneng/
COPY config/ config/
COPY --from=page /src/gateway/static/ gateway/static/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/jieneng/bin/pip install --no-deps --no-index /dist/*.whl

FROM ${PYTHON}
COPY --from=installed /opt/jieneng/ /opt/jieneng/
# Volumes that are first mounted on these folders get their owner; see docker-compose.yml.
RUN groupadd --gid 10001 jieneng \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/jieneng --no-create-home --shell /usr/sbin/nologin jieneng \
    && for folder in /var/lib/jieneng /var/lib/jieneng/identities /var/lib/jieneng/identities/mosquitto \
        /prepare/edges /prepare/postgres /prepare/database /prepare/reader /prepare/grafana /prepare/metrics \
        /prepare/influx /prepare/influx-admin /prepare/data/edge /prepare/data/simulator /prepare/data/mosquitto \
        /prepare/data/postgres /prepare/data/victoria /prepare/data/influx /prepare/data/grafana /prepare/data/dashboards; do \
        install -d -o 10001 -g 10001 -m 700 "$folder"; \
    done
# pg_dump and pg_restore, for backups; 60 MB with the Perl that its package asks for. Leave it out by an empty one.
ARG POSTGRES_CLIENT=postgresql-client-15
RUN if [ -n "$POSTGRES_CLIENT" ]; then \
        apt-get update && apt-get install --yes --no-install-recommends "$POSTGRES_CLIENT" \
        && rm -rf /var/lib/apt/lists/*; \
    fi
# A Chinese font that PDFs embed the used letters of; 5 MB. Leave it out by an empty one.
ARG PAPER_FONT=fonts-wqy-microhei
RUN if [ -n "$PAPER_FONT" ]; then \
        apt-get update && apt-get install --yes --no-install-recommends "$PAPER_FONT" \
        && rm -rf /var/lib/apt/lists/*; \
    fi
ENV PATH=/opt/jieneng/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/jieneng
EXPOSE 8080
ENTRYPOINT ["/opt/jieneng/bin/jieneng"]
CMD ["--help"]
# Of the gateway, which most containers of this image are; others switch it off.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["/opt/jieneng/bin/python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health', timeout=4)"]

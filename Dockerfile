# One image; the command chooses the role: serve (all roles), serve --role public, migrate, …
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONPATH=/vestka \
    VESTKA_DATA_DIR=/data \
    VESTKA_KEYS_DIR=/keys

WORKDIR /vestka

COPY requirements.lock LICENSE ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock

COPY email_templates email_templates
COPY migrations migrations
COPY app app

# The code belongs to root and cannot be written by the service. Data and keys are two volumes, so
# that no backup of the one ever holds the other.
RUN groupadd --gid 10001 vestka \
    && useradd --uid 10001 --gid vestka --no-create-home --home-dir /nonexistent vestka \
    && install --directory --owner vestka --group vestka --mode 0700 /data /keys
USER 10001:10001
VOLUME ["/data", "/keys"]

# 8000 is the public port. The operators' port listens on the loopback address of the container
# until VESTKA_OPERATORS_LISTEN opens it.
EXPOSE 8000 8001

# A role without the public port (sender, operators) is started with --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]

ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]

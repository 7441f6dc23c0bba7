# Builds the synchroniser and packs it alone: no compiler, no shell tools of ours, no root.
#
#   docker compose --file deploy/docker-compose.yml build
#   docker compose --file deploy/docker-compose.yml run --rm sync validate --online

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package mysql-smartsuite-sync

FROM debian:bookworm-slim
# Certificate authorities for SmartSuite and MySQL, time zones for schedules and dates.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates tzdata && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/mysql-smartsuite-sync --shell /usr/sbin/nologin smartsuite-sync
RUN install --directory --mode 0700 --owner smartsuite-sync --group smartsuite-sync /var/lib/mysql-smartsuite-sync
COPY --from=build /src/target/release/mysql-smartsuite-sync /usr/local/bin/
USER 10001:10001
# State and logs live here. Mount a volume on the folder, never a single file in it.
VOLUME /var/lib/mysql-smartsuite-sync
WORKDIR /var/lib/mysql-smartsuite-sync
ENV STATE_DB_PATH=/var/lib/mysql-smartsuite-sync/sync_state.db
ENTRYPOINT ["mysql-smartsuite-sync", "--config", "/etc/mysql-smartsuite-sync/sync_mappings.yml"]
CMD ["schedule", "--run-immediately"]

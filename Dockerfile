# One image with every program; what a container runs is its command.
FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release --workspace --bins

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 kehou && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin kehou
COPY --from=build /src/target/release/identity /src/target/release/catalog /src/target/release/enrollment \
     /src/target/release/billing /src/target/release/supervision /src/target/release/gateway /usr/local/bin/
COPY policies /usr/local/share/kehou/policies
USER 10001:10001

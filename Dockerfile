# Miyu's image: one executable, a data folder, no root. Nothing is installed into the final image.
#
#   docker build -t miyu .
#   docker run -p 127.0.0.1:8000:8000 -v miyu:/data miyu
#
# /data is the database's folder. A file mounted at /config/miyu.toml is the configuration;
# variables MIYU_SECTION__KEY override it. docs/OPERATIONS.md says more.

# By digest: the tag is for people. scripts/pins looks for newer ones.
ARG RUST_IMAGE=rust:1.95-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082
ARG BASE_IMAGE=debian:bookworm-slim@sha256:d5d3f9c23164ea16f31852f95bd5959aad1c5e854332fe00f7b3a20fcc9f635c

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# The dependencies come first, around an empty program: this layer is made anew only when they change,
# and needs no builder with cache mounts.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' | tee build.rs > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --bin miyu \
    && rm -rf src build.rs target/release/miyu target/release/deps/*miyu-* \
        target/release/build/miyu-* target/release/.fingerprint/miyu-*
COPY build.rs LICENSE ./
COPY assets assets
COPY src src
RUN cargo build --release --locked --bin miyu \
    && install -D -m 755 target/release/miyu /out/miyu \
    && install -d -m 700 /out/data

FROM ${BASE_IMAGE}
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Miyu" \
      org.opencontainers.image.description="Pairs two strangers and lets them talk" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# For rediss:// and PostgreSQL over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/LICENSE /usr/share/doc/miyu/LICENSE
COPY --from=build /out/miyu /usr/local/bin/miyu
COPY --from=build --chown=10001:10001 /out/data /data

# Within the container everybody may connect: which addresses reach it is said where ports are published.
ENV MIYU_SERVER__LISTEN=0.0.0.0:8000
# The default database, data/miyu.db, and the default file, config/miyu.toml, are relative to here.
WORKDIR /
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=3 CMD ["miyu", "healthcheck"]
ENTRYPOINT ["miyu"]
CMD ["serve"]

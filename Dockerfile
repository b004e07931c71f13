# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# The image that AppAPI starts, for amd64 and arm64. See docs/adr/0006-container.md.

# The page: the same files on every architecture, so it is built on the builder's own.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS page
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY vite.config.ts tsconfig.json ./
COPY scripts/classic-scripts.ts scripts/
COPY src src
RUN npm run build

# What the server needs at run time, all of it JavaScript. Node and PostgreSQL, optional packages here, come from below.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS packages
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# frpc, for HaRP. The sums are those of HaRP's README: another version needs other sums.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS frpc
ARG TARGETARCH
ARG FRP_VERSION=0.61.1
ARG FRP_SHA256_AMD64=bff260b68ca7b1461182a46c4f34e9709ba32764eed30a15dd94ac97f50a2c40
ARG FRP_SHA256_ARM64=af6366f2b43920ebfe6235dba6060770399ed1fb18601e5818552bd46a7621f8
RUN apt-get update \
	&& apt-get install --yes --no-install-recommends ca-certificates curl \
	&& rm -rf /var/lib/apt/lists/*
RUN set -eu; \
	case "$TARGETARCH" in \
		amd64) sum=$FRP_SHA256_AMD64 ;; \
		arm64) sum=$FRP_SHA256_ARM64 ;; \
		*) echo "No checksum of frpc is pinned for the architecture '$TARGETARCH'." >&2; exit 1 ;; \
	esac; \
	name="frp_${FRP_VERSION}_linux_${TARGETARCH}"; \
	curl --fail --silent --show-error --location --proto '=https' --retry 3 --output /tmp/frp.tar.gz \
		"https://github.com/fatedier/frp/releases/download/v${FRP_VERSION}/${name}.tar.gz"; \
	echo "$sum  /tmp/frp.tar.gz" | sha256sum --check --strict -; \
	tar --extract --gzip --file /tmp/frp.tar.gz --directory /usr/local/bin --strip-components 1 --no-same-owner "${name}/frpc"; \
	chmod 755 /usr/local/bin/frpc; \
	rm /tmp/frp.tar.gz

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="SIPCall" \
	org.opencontainers.image.source="https://github.com/sipcall/sipcall" \
	org.opencontainers.image.licenses="AGPL-3.0-or-later"

# A fixed id: the volume's files keep their owner from one image to the next.
RUN groupadd --system --gid 900 sipcall \
	&& useradd --system --uid 900 --gid sipcall --home-dir /run/sipcall --no-create-home --shell /usr/sbin/nologin sipcall \
	&& install --directory --mode 0700 --owner sipcall --group sipcall /run/sipcall

# PostgreSQL 16 is not in Debian 12: it comes from PostgreSQL's own Debian repository (apt.postgresql.org), whose key
# Debian's postgresql-common brings along. SIPCall makes its own cluster on the volume, so none is made here.
RUN apt-get update \
	&& apt-get install --yes --no-install-recommends ca-certificates postgresql-common redis-server tini \
	&& sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
	&& echo 'deb [signed-by=/usr/share/postgresql-common/pgdg/apt.postgresql.org.asc] https://apt.postgresql.org/pub/repos/apt bookworm-pgdg main' \
		> /etc/apt/sources.list.d/pgdg.list \
	&& apt-get update \
	&& apt-get install --yes --no-install-recommends postgresql-16 \
	&& rm -rf /var/lib/apt/lists/*

COPY --from=frpc /usr/local/bin/frpc /usr/local/bin/frpc
WORKDIR /app
COPY --from=packages /build/node_modules node_modules
COPY package.json LICENSE CHANGELOG.md ./
COPY appinfo appinfo
COPY ex_app/container ex_app/container
COPY ex_app/img ex_app/img
COPY --from=page /build/ex_app/js ex_app/js
COPY --from=page /build/ex_app/css ex_app/css
COPY lib lib

# AppAPI puts Nextcloud's certificate authorities into the system's store, which Node reads only when told to.
ENV NODE_ENV=production \
	NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt

# No USER: AppAPI installs certificates in the running container as the image's user, and for that it must be root. The
# entry point hands the volume over and then becomes the user `sipcall` for good.
ENTRYPOINT ["/usr/bin/tini", "--", "/app/ex_app/container/entrypoint.sh"]

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
	CMD ["/app/ex_app/container/healthcheck.sh"]

#!/bin/sh
# SPDX-FileCopyrightText: 2026 SIPCall contributors
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# Packs build/artifacts/sipcall.tar.gz as the app store wants it: one top folder named for the app. Nextcloud reads the
# manifest from it and pulls the program as an image, so no source is in it. The same tree gives the same bytes.
#
# SIGN_KEY=<private key> signs it and prints what the store's form asks for; SIGN_CERT=<certificate> is checked against both.

set -eu
umask 022
cd "$(dirname "$0")/.."

out=${OUT:-build/artifacts}
archive=$out/sipcall.tar.gz
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

fail() {
	echo "$1" >&2
	exit 1
}

value() {
	sed -n "s/^.*<$1>\(.*\)<\/$1>.*$/\1/p" appinfo/info.xml | head -n 1
}

version=$(value version)
package=$(sed -n 's/^.*"version": "\([^"]*\)".*$/\1/p' package.json | head -n 1)
[ "$version" = "$package" ] || fail "appinfo/info.xml is of version $version, package.json of $package."
[ "$version" = "$(value image-tag)" ] || fail "appinfo/info.xml is of version $version, its image of $(value image-tag)."

mkdir -p "$out" "$stage/sipcall/appinfo" "$stage/sipcall/img"
cp appinfo/info.xml "$stage/sipcall/appinfo/"
cp CHANGELOG*.md LICENSE README.md "$stage/sipcall/"
cp ex_app/img/* "$stage/sipcall/img/"
if [ -d l10n ]; then
	cp -R l10n "$stage/sipcall/"
fi

# The date of the last commit: the clock must not change the bytes.
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
tar --create --directory "$stage" --sort=name --mtime="@$date" --owner=0 --group=0 --numeric-owner --format=ustar sipcall |
	gzip --best --no-name > "$archive"
echo "$archive: SIPCall $version, $(wc -c < "$archive") bytes"

if [ -z "${SIGN_KEY:-}" ]; then
	echo 'Not signed: the store takes it only with a signature. Give SIGN_KEY=<private key>, and SIGN_CERT=<certificate> to have it checked.'
	exit 0
fi

openssl dgst -sha512 -sign "$SIGN_KEY" -out "$stage/signature" "$archive" || fail "The archive could not be signed with $SIGN_KEY."
if [ -n "${SIGN_CERT:-}" ]; then
	openssl x509 -in "$SIGN_CERT" -noout -pubkey > "$stage/public" || fail "$SIGN_CERT is no certificate."
	openssl dgst -sha512 -verify "$stage/public" -signature "$stage/signature" "$archive" > /dev/null 2>&1 ||
		fail 'The certificate does not belong to the key.'
	openssl x509 -in "$SIGN_CERT" -noout -subject -nameopt multiline | grep -q 'commonName *= sipcall$' ||
		fail 'The certificate is not one for the app id sipcall.'
fi
echo 'Signature (SHA-512, base64):'
base64 --wrap=0 "$stage/signature"
echo

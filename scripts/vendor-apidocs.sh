#!/usr/bin/env bash
# Fetches the pinned Swagger UI and ReDoc from npm into internal/apidocs/assets. To move to another version, change it
# here together with its checksum (npm view NAME@VERSION dist.integrity) and look at /docs and /redoc in a browser.
set -euo pipefail
assets=$(cd "$(dirname "$0")/../internal/apidocs/assets" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # NAME VERSION SHA512
	local file sum
	file=$(cd "$work" && npm pack --silent --ignore-scripts "$1@$2" </dev/null)
	sum=$(openssl dgst -sha512 -binary "$work/$file" | openssl base64 -A)
	if [ "$sum" != "$3" ]; then
		echo "$1@$2: its checksum is sha512-$sum, not the pinned one" >&2
		exit 1
	fi
	mkdir "$work/$1"
	tar -xzf "$work/$file" -C "$work/$1" --strip-components=1
}
keep() { gzip -9 -n -c "$work/$1" >"$assets/${1##*/}.gz"; }

fetch swagger-ui-dist 5.35.0 U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==
fetch redoc 3.0.1 KDfoKaYW19LCl4YStgBnwlaNjYEFfs5zCNt1s1WZ2YM5u8d26Yuzd2l43fZO851ZsgIMe/D640fDJkD8eaRQKQ==

keep swagger-ui-dist/swagger-ui.css
keep swagger-ui-dist/swagger-ui-bundle.js
keep redoc/bundles/redoc.standalone.js
cp "$work/swagger-ui-dist/LICENSE" "$assets/swagger-ui.LICENSE"
cp "$work/swagger-ui-dist/NOTICE" "$assets/swagger-ui.NOTICE"
cp "$work/swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt" "$assets/swagger-ui-bundle.js.LICENSE.txt"
cp "$work/redoc/LICENSE" "$assets/redoc.LICENSE"

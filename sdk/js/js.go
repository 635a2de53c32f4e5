// Package js is the JavaScript package, for programs that give it away.
package js

import "embed"

// Package is admit-client: what npm would install of it.
//
//go:embed package.json src types
var Package embed.FS

// Package python is the Python package, for programs that give it away.
package python

import "embed"

// Package is the package admit, with its licence in no other place than this module's.
//
//go:embed admit/*.py admit/py.typed
var Package embed.FS

package passkey

import (
	_ "embed" // the list below
	"fmt"
	"strings"
)

// providers is an AAGUID and a name in each line. The ids are facts that the makers of authenticators publish.
//
//go:embed providers.txt
var providers string

// providerOf names who keeps a passkey, "" when that is not known. Nobody vouches for it: it is a label.
func providerOf(aaguid []byte) string {
	if len(aaguid) != 16 {
		return ""
	}
	id := fmt.Sprintf("%x-%x-%x-%x-%x ", aaguid[:4], aaguid[4:6], aaguid[6:8], aaguid[8:10], aaguid[10:])
	for line := range strings.Lines(providers) {
		if name, ok := strings.CutPrefix(line, id); ok {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

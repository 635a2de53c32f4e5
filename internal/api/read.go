package api

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/web"
)

// read holds that a request can be read in one way only, and takes its body in: whoever breaks off is not our fault, and a
// body over the limit is known before anything looks at it. What it gives is the body.
func read(r *http.Request, form bool) ([]byte, error) {
	r.Header["Accept"] = []string{"application/json"} // there is nothing else to choose from
	if _, err := web.Query(r); err != nil {
		return nil, err
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(r.Body)
	if err = web.BodyError(err); err != nil {
		if apperr.Of(err).Kind != apperr.TooLarge {
			return nil, ErrBody.Because(err)
		}
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) == 0 {
		return nil, nil
	}
	return body, mediaType(r.Header["Content-Type"], form)
}

// mediaType refuses a body of a type the operation does not read. A form on a JSON route would be a request that any page
// of another site can make.
func mediaType(given []string, form bool) error {
	if len(given) != 1 {
		return ErrMediaType
	}
	name, _, err := mime.ParseMediaType(given[0])
	if err == nil && (name == "application/json" || form && name == formType) {
		return nil
	}
	return ErrMediaType
}

// plainName is the name of a member that may be repeated to who sent it.
var plainName = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,39}$`)

// fieldName is the name of the field that a fault of huma's is about, "" when it is not a word as ours are.
func fieldName(d *huma.ErrorDetail) string {
	name := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body"), ".")
	for _, part := range []string{"query.", "path.", "header."} {
		name = strings.TrimPrefix(name, part)
	}
	if rest, ok := strings.CutPrefix(d.Message, "expected required property "); ok && name == "" {
		name, _, _ = strings.Cut(rest, " ")
	}
	if !plainName.MatchString(name) {
		return ""
	}
	return name
}

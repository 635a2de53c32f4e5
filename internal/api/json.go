package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/admit-dev/admit/internal/strict"
)

// strictJSON reads a body that can be read in one way only.
var strictJSON = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	},
	Unmarshal: func(data []byte, v any) error {
		if into, first := v.(*any); first { // huma reads twice: to check, then into the type
			if err := strict.JSON(data); err != nil {
				return err
			}
			d := json.NewDecoder(bytes.NewReader(data))
			return d.Decode(into)
		}
		return json.Unmarshal(data, v)
	},
}

const formType = "application/x-www-form-urlencoded"

// form reads an OAuth 2 password form (RFC 6749, section 4.3.2) as if it were JSON.
var form = huma.Format{
	Marshal: func(io.Writer, any) error { return errors.New("api: answers are JSON") },
	Unmarshal: func(data []byte, v any) error {
		members, err := strict.Form(data)
		if err != nil {
			return err
		}
		if into, first := v.(*any); first {
			*into = members
			return nil
		}
		text, err := json.Marshal(members)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, v)
	},
}

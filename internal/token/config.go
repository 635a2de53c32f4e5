package token

import (
	"errors"
	"time"

	"github.com/admit-dev/admit/internal/secret"
)

// Config says how access tokens are signed and how long they live.
type Config struct {
	Algorithm     string        `env:"ACCESS_TOKEN_ALGORITHM" default:"ES256" oneof:"ES256,EdDSA,RS256" doc:"How access tokens are signed (RFC 7518, RFC 8037) unless ACCESS_SECRET is set."`
	Secret        secret.String `env:"ACCESS_SECRET" secret:"true" doc:"Signs access tokens with HS256 instead, for verifiers that share this secret: 32 characters or more."`
	ExpireMinutes int           `env:"ACCESS_TOKEN_EXPIRE_M" default:"15" min:"1" max:"1440" doc:"Minutes an access token lives."`
	Audience      string        `env:"ACCESS_TOKEN_AUDIENCE" doc:"The aud claim of access tokens. Empty is BASE_URL."`
	RotateDays    int           `env:"SIGNING_KEY_ROTATE_DAYS" default:"90" min:"1" max:"3650" doc:"Days after which a new signing key takes over. The old one is honoured until its last token has expired."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(production bool) error {
	if n := len(c.Secret.Reveal()); n > 0 && n < 32 {
		return errors.New("ACCESS_SECRET has fewer than 32 characters: make one with admit keygen, or leave it out for asymmetric keys")
	}
	return nil
}

func (c Config) lifetime() time.Duration { return time.Duration(c.ExpireMinutes) * time.Minute }

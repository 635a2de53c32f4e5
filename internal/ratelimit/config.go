package ratelimit

import (
	"time"

	"github.com/admit-dev/admit/internal/redis"
	"github.com/admit-dev/admit/internal/secret"
)

// Config is what an operator may set.
type Config struct {
	RateLimit         string `env:"RATE_LIMIT" default:"auto" oneof:"auto,off,memory,redis" doc:"Where requests are counted: by each server in its memory, or by all of them together in Redis, and in memory while that does not answer. auto is redis where REDIS_URL is set, and memory elsewhere. off counts nothing: only for tests, or behind a gateway that limits."`
	IPPerMinute       int    `env:"RATE_LIMIT_IP_PER_MINUTE" default:"120" min:"1" max:"1000000" doc:"Requests one address (IPv6: one /64) may make in a minute to the routes that sign in, sign up or send something."`
	IdentifierBurst   int    `env:"RATE_LIMIT_IDENTIFIER_BURST" default:"10" min:"1" max:"10000" doc:"Failed attempts one account may have at once before it has to wait."`
	IdentifierPerHour int    `env:"RATE_LIMIT_IDENTIFIER_PER_HOUR" default:"60" min:"1" max:"100000" doc:"Failed attempts one account may have in an hour after its burst."`
	IPGuessBurst      int    `env:"RATE_LIMIT_IP_GUESS_BURST" default:"100" min:"1" max:"100000" doc:"Wrong answers from one address, at whatever accounts, before it has to wait. Devices that people are known on do not wait."`
	IPGuessPerHour    int    `env:"RATE_LIMIT_IP_GUESS_PER_HOUR" default:"60" min:"1" max:"100000" doc:"Wrong answers from one address in an hour after that."`
	KeyPerMinute      int    `env:"RATE_LIMIT_API_KEY_PER_MINUTE" default:"6000" min:"1" max:"10000000" doc:"Requests that may be made in a minute with one API key, and with the access tokens that were made from it."`
	RecipientPerHour  int    `env:"RATE_LIMIT_RECIPIENT_PER_HOUR" default:"10" min:"1" max:"100000" doc:"Links and codes that may be asked for in an hour for one e-mail address or phone number, whether it is known or not."`
	TextsPerIP        int    `env:"RATE_LIMIT_SMS_IP_PER_HOUR" default:"20" min:"1" max:"100000" doc:"Text messages one address (IPv6: one /64) may ask for in an hour."`
	TextsPerBlock     int    `env:"RATE_LIMIT_SMS_BLOCK_PER_HOUR" default:"30" min:"1" max:"100000" doc:"Text messages that may be asked for in an hour for numbers that differ in their last four digits only."`
	TextsPerDay       int    `env:"RATE_LIMIT_SMS_PER_DAY" default:"1000" min:"1" max:"10000000" doc:"Text messages that may be asked for in a day altogether, on all servers: the most that a day can cost."`
}

// keys bounds the memory of a Limiter to some 16 MB.
const keys = 1 << 18

// Open makes the Limiter the configuration asks for. It is nil, and allows everything, when that is off.
func (c Config) Open(now func() time.Time, shared *redis.Client, box *secret.Box) *Limiter {
	switch {
	case c.RateLimit == "off":
		return nil
	case c.RateLimit == "memory" || shared == nil:
		return New(now, keys)
	default:
		return newShared(now, keys, shared, box.Derive("rate limits", 32))
	}
}

// PerIP limits an address. Its key is an IPKey.
func (c Config) PerIP() Rule {
	return Rule{Name: "ip", Limit: c.IPPerMinute, Per: time.Minute}
}

// PerKey limits what is done with an API key.
func (c Config) PerKey() Rule {
	return Rule{Name: "api_key", Limit: c.KeyPerMinute, Per: time.Minute}
}

// PerRecipient limits what strangers may have sent to an address.
func (c Config) PerRecipient() Rule {
	return Rule{Name: "recipient", Limit: c.RecipientPerHour, Per: time.Hour}
}

// PerGuesser limits the wrong answers from an address. Its key is an IPKey.
func (c Config) PerGuesser() Rule {
	return Rule{Name: "guesser", Limit: c.IPGuessPerHour, Per: time.Hour, Burst: c.IPGuessBurst}
}

// PerIPForTexts limits the text messages an address may ask for. Its key is an IPKey.
func (c Config) PerIPForTexts() Rule {
	return Rule{Name: "text_ip", Limit: c.TextsPerIP, Per: time.Hour}
}

// PerBlock limits the text messages to numbers beside each other.
func (c Config) PerBlock() Rule {
	return Rule{Name: "text_block", Limit: c.TextsPerBlock, Per: time.Hour}
}

// PerDay limits all text messages.
func (c Config) PerDay() Rule {
	return Rule{Name: "text_day", Limit: c.TextsPerDay, Per: 24 * time.Hour}
}

// PerIdentifier limits the attempts at one account, whichever of its names is typed.
func (c Config) PerIdentifier() Rule {
	return Rule{Name: "identifier", Limit: c.IdentifierPerHour, Per: time.Hour, Burst: c.IdentifierBurst}
}

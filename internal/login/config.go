package login

// Config is what an operator may say of signing in and up.
type Config struct {
	Enumeration string `env:"ENUMERATION_PROTECTION" default:"compat" oneof:"compat,strict" doc:"compat: signing up with an address that has an account is answered 409. strict: no answer tells whether an account exists."`
	SignUp      bool   `env:"SIGNUP_ENABLED" default:"true" doc:"Whether people may make accounts for themselves."`
}

// Strict reports whether no answer may tell that an account exists.
func (c Config) Strict() bool { return c.Enumeration == "strict" }

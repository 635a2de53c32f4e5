package password

// Config is what an operator may say of passwords.
type Config struct {
	MinLength int    `env:"PASSWORD_MIN_LENGTH" default:"8" min:"8" max:"64" doc:"Fewest characters of a password (NIST SP 800-63B: 8, or 15 where it is the only factor)."`
	MaxLength int    `env:"PASSWORD_MAX_LENGTH" default:"128" min:"64" max:"1024" doc:"Most characters of a password: enough for any sentence, too few to keep the server busy."`
	Common    string `env:"PASSWORD_COMMON" default:"auto" oneof:"auto,refuse,warn,off" doc:"What happens to a password that is guessed early: one of the half million that leaked most often, a word with little added, a name of its owner or of this site. auto refuses it in production and warns in development."`
}

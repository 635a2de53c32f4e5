package address

// Config is what an operator may say of addresses.
type Config struct {
	Verification string `env:"EMAIL_VERIFICATION" default:"soft" oneof:"off,soft,required" doc:"off: no mail is sent at sign-up. soft: one is, and people go in meanwhile. required: nobody gets in with an address that is not verified."`
}

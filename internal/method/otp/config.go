package otp

// Config is what an operator may say of signing in with what is sent.
type Config struct {
	Link  bool `env:"MAGIC_LINK_ENABLED" default:"true" doc:"Whether people may sign in with a link in a mail. It needs mail."`
	Email bool `env:"EMAIL_CODE_ENABLED" default:"true" doc:"Whether people may sign in, and prove who they are, with a code in a mail. It needs mail."`
	Phone bool `env:"PHONE_ENABLED" default:"true" doc:"Whether people may sign in, and prove who they are, with a code in a text message. It needs a service that carries texts."`
}

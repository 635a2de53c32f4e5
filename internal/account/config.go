package account

// Config is what an operator may say of accounts.
type Config struct {
	GraceDays int `env:"ACCOUNT_DELETION_GRACE_DAYS" default:"0" min:"0" max:"30" doc:"Days between a person's wish to have their account deleted and its erasure. Until then it is closed, and a link in a mail keeps it. 0 erases at once."`
}

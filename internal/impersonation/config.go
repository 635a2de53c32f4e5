package impersonation

// Config says for how long.
type Config struct {
	Minutes int `env:"IMPERSONATION_MINUTES" default:"60" min:"0" max:"480" doc:"Most minutes in which somebody who may act as another person does so at a time. 0 lets nobody."`
}

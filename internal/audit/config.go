package audit

// Config says how long the log is kept.
type Config struct {
	RetentionDays int `env:"AUDIT_RETENTION_DAYS" default:"0" min:"0" max:"36500" doc:"How many whole days an event is kept in the audit log. 0 keeps every event for ever."`
}

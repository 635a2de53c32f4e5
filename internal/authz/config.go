package authz

import "errors"

// Config says what is asked beside the roles, and what an installation declares at each start.
type Config struct {
	Engine       string `env:"POLICY_ENGINE" default:"roles" oneof:"roles,casbin" doc:"What decides: roles alone, or also a Casbin model and policy."`
	Mode         string `env:"POLICY_MODE" default:"guard" oneof:"guard,grant" doc:"What a policy engine may do: guard only takes away what roles give, grant may also give."`
	CasbinModel  string `env:"CASBIN_MODEL_FILE" doc:"Casbin model, for POLICY_ENGINE=casbin."`
	CasbinPolicy string `env:"CASBIN_POLICY_FILE" doc:"Casbin policy (CSV), for POLICY_ENGINE=casbin."`
	File         string `env:"PERMISSIONS_FILE" doc:"JSON file of permissions and global roles that are declared at each start."`
}

// Check finds what is wrong with the settings.
func (c Config) Check(bool) error {
	given := c.CasbinModel != "" || c.CasbinPolicy != ""
	switch {
	case c.Engine == "casbin" && (c.CasbinModel == "" || c.CasbinPolicy == ""):
		return errors.New("POLICY_ENGINE is casbin: set CASBIN_MODEL_FILE and CASBIN_POLICY_FILE")
	case c.Engine != "casbin" && given:
		return errors.New("CASBIN_MODEL_FILE and CASBIN_POLICY_FILE are read with POLICY_ENGINE=casbin only")
	}
	return nil
}

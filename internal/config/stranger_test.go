package config

import (
	"strings"
	"testing"
)

func TestUnknownNames(t *testing.T) {
	for _, c := range []struct {
		rule, env, file string
		fault, warning  string
	}{
		{rule: "a slip in .env stops the start", file: "ACESS_TOKEN_EXPIRE_M=1",
			fault: "ACESS_TOKEN_EXPIRE_M (.env line 1): is not a setting. Did you mean ACCESS_TOKEN_EXPIRE_M? If it is another program's, set ACCESS_TOKEN_EXPIRE_M as well"},
		{rule: "a slip in the environment is a warning", env: "ACESS_TOKEN_EXPIRE_M=1",
			warning: "ACESS_TOKEN_EXPIRE_M (environment): is not a setting. Did you mean ACCESS_TOKEN_EXPIRE_M?"},
		{rule: "a slip beside the right name is a warning in .env", file: "ACESS_TOKEN_EXPIRE_M=1\nACCESS_TOKEN_EXPIRE_M=2", warning: "Did you mean"},
		{rule: "setting the name to nothing is the way out", file: "ACESS_TOKEN_EXPIRE_M=1", env: "ACCESS_TOKEN_EXPIRE_M=", warning: "Did you mean"},
		{rule: "a slip beside the right name is nothing in the environment", env: "ACESS_TOKEN_EXPIRE_M=1\nACCESS_TOKEN_EXPIRE_M=2"},
		{rule: "a prefix stops the start", env: "ADMIT_ADDR=x", fault: "ADMIT_ADDR (environment): is not a setting. Settings have no prefix; use ADDR."},
		{rule: "a prefix and a slip stop the start", env: "ADMIT_LOG_LEVL=x", fault: "Settings have no prefix. Did you mean LOG_LEVEL?"},
		{rule: "a prefix and a file stop the start", env: "ADMIT_ACCESS_SECRET_FILE=x", fault: "Settings have no prefix. Use ACCESS_SECRET_FILE."},
		{rule: "a prefix beside the right name is a warning", env: "ADMIT_ADDR=x\nADDR=y", warning: "use ADDR"},
		{rule: "an unknown name with the prefix is a warning", env: "ADMIT_FOO=x", warning: "ADMIT_FOO (environment): is not a setting; ignored"},
		{rule: "a client's own name is known", env: "ADMIT_CONTEXT=x"},
		{rule: "names of others in .env are one warning", file: "NODE_ENV=x\nFOO=1\nPOSTGRES_DB=x", warning: ".env: no setting is called NODE_ENV, FOO, POSTGRES_DB; ignored"},
		{rule: "names of others in the environment are nobody's business", env: "FOO=1\nPATH=x\nHOSTNAME=x"},
		{rule: "lower case is a slip", file: "log_level=x", fault: "Names are in upper case; use LOG_LEVEL."},
		{rule: "a file for what is no secret is a slip", env: "LOG_LEVEL_FILE=x", warning: "Only a secret can be read from a file; use LOG_LEVEL."},
		{rule: "a slip in the name of a file is a slip", file: "ACCES_SECRET_FILE=x", fault: "Did you mean ACCESS_SECRET_FILE?"},
		{rule: "what Kubernetes says of a service named admit is nothing",
			env: "ADMIT_SERVICE_HOST=10.0.0.1\nADMIT_SERVICE_PORT=80\nADMIT_SERVICE_PORT_HTTP=80\nADMIT_PORT=tcp://10.0.0.1:80\nADMIT_PORT_80_TCP=x\nADMIT_PORT_80_TCP_ADDR=x"},
		{rule: "a short name is no slip", env: "ADDRS=x"},
		{rule: "two slips in a short name are another name", env: "LOG_LABEL=x"},
		{rule: "two slips in a long name are slips", env: "MAIL_WORKRS_COUNTS=1", warning: "Did you mean MAIL_WORKERS_COUNT?"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Chdir(t.TempDir())
			src := Source{Environ: strings.Split(c.env, "\n"), EnvFile: ".env", Known: func(n string) bool { return n == "ADMIT_CONTEXT" }}
			if c.file != "" {
				src.EnvFile = write(t, ".env", c.file)
			}
			_, report, said := load(t, src)
			said = strings.ReplaceAll(said, src.EnvFile, ".env")
			var lines []string
			for _, w := range report.Warnings {
				lines = append(lines, strings.ReplaceAll(w.String(), src.EnvFile, ".env"))
			}
			warned := strings.Join(lines, "\n")
			if !strings.Contains(said, c.fault) || (said == "") != (c.fault == "") {
				t.Errorf("faults: %s", said)
			}
			if !strings.Contains(warned, c.warning) || (warned == "") != (c.warning == "") {
				t.Errorf("warnings: %s", warned)
			}
		})
	}
}

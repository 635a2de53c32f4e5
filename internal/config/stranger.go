package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/admit-dev/admit/internal/typo"
)

// A name that is no setting is judged by two questions: was it meant for Admit, and is there a setting it was meant to be?
//
//	                      means a setting nobody set    means one that is set    means none
//	.env, or ADMIT_*      fault                         warning                  warning
//	rest of environment   warning                       nothing                  nothing
//
// So a slip of the finger in a place that is ours stops the start, a variable of another program never does unless it is one
// slip away from a setting, and setting that setting, if only to nothing, is the way out.
func (l *loader) lookForStrangers() {
	var ignored []string
	for _, name := range l.file.names {
		if l.stranger(name, l.file, true) {
			ignored = append(ignored, name)
		}
	}
	if len(ignored) > 0 {
		list, more := ignored, ""
		if len(list) > 10 {
			list, more = list[:10], fmt.Sprintf(" and %d more", len(ignored)-10)
		}
		l.warnings = append(l.warnings, Finding{From: l.src.EnvFile, What: "no setting is called " + strings.Join(list, ", ") + more + "; ignored"})
	}
	names := slices.Clone(l.environ.names)
	slices.Sort(names)
	for _, name := range names {
		ours := strings.HasPrefix(name, prefix)
		if l.stranger(name, l.environ, ours) && ours {
			l.warnings = append(l.warnings, Finding{Name: name, From: l.environ.what, What: "is not a setting; ignored"})
		}
	}
}

const prefix = "ADMIT_"

// stranger deals with a name if it is no setting and was meant to be one, and says whether it is no setting and nothing else.
func (l *loader) stranger(name string, in layer, ours bool) bool {
	if l.known(name) || serviceLink(name, in.value[name]) {
		return false
	}
	meant, fix := l.meantSetting(name, ours)
	if meant == "" {
		return true
	}
	f := Finding{Name: name, From: in.from(name), What: "is not a setting", Fix: fix}
	target := l.named[meant]
	switch {
	case !target.present && ours:
		f.Fix += " If it is another program's, set " + meant + " as well, if only to nothing."
		l.fault(f)
		target.unusable = true // its being missed is this same fault
	case !target.present || ours:
		l.warnings = append(l.warnings, f)
	}
	return false
}

func (l *loader) known(name string) bool {
	if l.named[name] != nil || l.src.Known != nil && l.src.Known(name) {
		return true
	}
	s := l.owner(name)
	return s != nil && s.secret
}

// meantSetting is the setting that an unknown name was meant to be.
func (l *loader) meantSetting(name string, ours bool) (setting, fix string) {
	upper := strings.ToUpper(name)
	plain, prefixed := strings.CutPrefix(upper, prefix)
	why := ""
	if prefixed {
		why = "Settings have no prefix. "
	}
	if slices.Contains(unrelated, upper) || !ours && len(plain) < 6 {
		return "", ""
	}
	base, isFile := strings.CutSuffix(plain, "_FILE")
	switch s := l.named[plain]; {
	case s != nil && prefixed:
		return plain, "Settings have no prefix; use " + plain + "."
	case s != nil:
		return plain, "Names are in upper case; use " + plain + "."
	case isFile && l.named[base] != nil && l.named[base].secret:
		return base, why + "Use " + base + "_FILE."
	case isFile && l.named[base] != nil:
		return base, why + "Only a secret can be read from a file; use " + base + "."
	}
	var names []string
	for _, s := range l.settings {
		names = append(names, s.name)
		if s.secret {
			names = append(names, s.name+"_FILE")
		}
	}
	best, slips := typo.Closest(plain, names)
	short := min(len(plain), len(best))
	// Two slips in a short name are another name: MAIL_PORT is not MAIL_HOST.
	if short < 6 || slips > 2 || slips == 2 && short < 10 {
		return "", ""
	}
	fix = why + "Did you mean " + best + "?"
	if l.named[best] == nil {
		best = strings.TrimSuffix(best, "_FILE")
	}
	return best, fix
}

// serviceLink knows what Kubernetes and Docker put into the environment of a program that has a service of its name.
func serviceLink(name, value string) bool {
	return linkName.MatchString(name) || strings.HasSuffix(name, "_PORT") && linkValue.MatchString(value)
}

var (
	linkName  = regexp.MustCompile(`_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
	linkValue = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// unrelated are names that every machine has, and that a setting may come near to.
var unrelated = strings.Fields(`SSL_CERT_FILE SSL_CERT_DIR SSL_KEY_FILE COLUMNS DISPLAY EDITOR HISTSIZE HOSTNAME LANGUAGE LESSOPEN LOGNAME MAILTO MANPATH
	NODE_ENV OLDPWD PGDATA PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD TEMPDIR TMPDIR USERNAME USERPROFILE VISUAL
	GOPROXY GOFLAGS GOPATH GOROOT HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY RAILS_ENV FLASK_ENV APP_ENV
	SSH_TTY SSH_AUTH_SOCK TERM_PROGRAM INVOCATION_ID JOURNAL_STREAM WINDOWID SESSIONNAME COMPUTERNAME`)

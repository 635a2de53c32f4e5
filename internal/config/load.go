package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Source is where settings come from. Overrides are above Environ, and Environ is above the .env file; in each of the last
// two a secret may be named by NAME_FILE instead of NAME. A name that is set to nothing asks for the default.
type Source struct {
	Environ   []string               // NAME=value, as os.Environ gives it
	EnvFile   string                 // path of the .env file; "" for none, and one that is not there is no fault
	Overrides map[string]Override    // by name of the setting: what the command line says
	Known     func(name string) bool // names that are no field and yet are meant: a client's own, a provider's
}

// Override is a setting given on the command line.
type Override struct {
	From  string                    // what to call its origin: "flag --port"
	Value string                    // the value
	Edit  func(below string) string // instead of Value: changes part of what holds below, as --port does to ADDR
}

// Surroundings is the environment of the process and the .env file of its working directory.
func Surroundings() Source { return Source{Environ: os.Environ(), EnvFile: ".env"} }

// Load fills in the struct that into points to, asks every struct in it that has Check(production bool) error, the outermost
// last, and says everything that is wrong at once. The error is an *Error. The report is never nil.
//
// Production is what the setting ENVIRONMENT says. In development Check is asked twice, the second time as in production, so
// it must only look; what production would refuse is in the report, and a warning where the setting was given.
func Load(into any, src Source) (*Report, error) {
	l := &loader{declared: declare(into), src: src}
	for name := range src.Overrides {
		if l.named[name] == nil {
			panic(fmt.Sprintf("config: an override of %s, which is not a setting", name))
		}
	}
	l.readEnviron()
	l.readEnvFile()
	for _, s := range l.settings {
		l.give(s)
	}
	l.lookForStrangers()
	l.check()
	r, err := l.finish()
	if c, ok := into.(*Config); ok {
		c.loaded = r
	}
	return r, err
}

type loader struct {
	*declared
	src      Source
	environ  layer
	file     layer
	faults   []Finding
	warnings []Finding
	weak     []Finding
}

// layer is one place that says what names are worth.
type layer struct {
	what  string   // "environment"
	names []string // in the order they are said
	value map[string]string
	from  func(name string) string
}

func (l *loader) readEnviron() {
	l.environ = layer{what: "environment", value: map[string]string{}, from: func(string) string { return "environment" }}
	for _, pair := range l.src.Environ {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := l.environ.value[name]; name != "" && !twice { // as os.LookupEnv: the first wins
			l.environ.names = append(l.environ.names, name)
			l.environ.value[name] = value
		}
	}
}

const (
	maxEnvFile = 1 << 20
	maxSecret  = 1 << 16
)

func (l *loader) readEnvFile() {
	line := map[string]int{}
	l.file = layer{what: l.src.EnvFile, value: map[string]string{}, from: func(name string) string {
		return fmt.Sprintf("%s line %d", l.src.EnvFile, line[name])
	}}
	if l.src.EnvFile == "" {
		return
	}
	info, err := os.Stat(l.src.EnvFile)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() { // Python keeps virtual environments in a folder .env
		return
	}
	text, err := readFile(l.src.EnvFile, maxEnvFile)
	if err != nil {
		l.fault(Finding{From: l.src.EnvFile, What: "the file cannot be read: " + reason(err), Fix: "Make it readable, or remove it."})
		return
	}
	vars, faults := readDotEnv(l.src.EnvFile, text)
	for _, v := range vars {
		l.file.names = append(l.file.names, v.name)
		l.file.value[v.name], line[v.name] = v.value, v.line
	}
	for _, f := range faults {
		l.fault(f)
	}
}

// fault notes what is wrong. A setting at fault is not judged a second time by a Check.
func (l *loader) fault(f Finding) {
	l.faults = append(l.faults, f)
	if s := l.owner(f.Name); s != nil {
		s.unusable = true
	}
}

// owner is the setting that NAME or NAME_FILE is about.
func (l *loader) owner(name string) *setting {
	if s := l.named[name]; s != nil {
		return s
	}
	return l.named[strings.TrimSuffix(name, "_FILE")]
}

// give finds what was given for a setting, and puts it into its field.
func (l *loader) give(s *setting) {
	if !l.find(s, l.environ) {
		l.find(s, l.file)
	}
	if o, ok := l.src.Overrides[s.name]; ok {
		value := o.Value
		if o.Edit != nil {
			below := s.text
			if below == "" {
				below = s.fallback
			}
			value = o.Edit(below)
		}
		s.text, s.from, s.present = value, o.From, true
	}
	if s.text == "" {
		return
	}
	if f := s.take(s.text); f != nil {
		l.fault(s.tell(f))
	}
}

// find asks one layer, and says whether it spoke.
func (l *loader) find(s *setting, in layer) bool {
	value, named := in.value[s.name]
	path := ""
	if s.secret {
		path = in.value[s.name+"_FILE"]
	}
	switch {
	case value != "" && path != "":
		s.from = in.from(s.name)
		l.fault(Finding{s.name, s.from, "is set, and " + s.name + "_FILE is set too", "Keep one of the two."})
	case path != "":
		s.text, s.from = l.secretFile(s, path, in.from(s.name+"_FILE"))
	case value != "":
		s.text, s.from = value, in.from(s.name)
	case named:
		s.from = "default, as the " + in.what + " sets it to nothing"
	default:
		return false
	}
	s.present = true
	return true
}

func (l *loader) secretFile(s *setting, path, from string) (text, origin string) {
	text, err := readFile(path, maxSecret)
	text = strings.TrimRight(text, "\r\n")
	if err == nil && text != "" {
		return text, "file " + path
	}
	shown := "the file that " + s.name + "_FILE names"
	if filepath.IsAbs(path) || strings.HasPrefix(path, ".") { // anything else may be the secret itself, put in the wrong variable
		shown = path
	}
	what, fix := shown+" is empty", "Write the secret into it."
	if err != nil {
		what, fix = shown+" cannot be read: "+reason(err), "Give "+s.name+"_FILE the path of a file that this user may read."
	}
	l.fault(Finding{s.name, from, what, fix})
	return "", from
}

func readFile(path string, limit int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if int64(len(text)) > limit {
		err = fmt.Errorf("it is larger than %d KiB", limit>>10)
	}
	return string(text), err
}

// reason is what is left of a file's error without its path.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// tell words a flaw. The value is shown, shortened, unless it is a secret's; so is what a foreign parser says of it.
func (s *setting) tell(f *flaw) Finding {
	what := f.what
	switch {
	case s.secret && f.value != "":
		what = "the value " + f.what
	case f.value != "":
		what = quote(f.value) + " " + f.what
	}
	if f.cause != nil && !s.secret {
		what += ": " + shorten(oneLine(f.cause.Error()), 160)
	}
	return Finding{s.name, s.from, what, f.fix}
}

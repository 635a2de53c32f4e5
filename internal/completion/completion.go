// Package completion writes the scripts with which shells complete commands and flags.
package completion

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// Script is what a shell needs to complete the commands and flags of the model below root, in the shell's own language.
func Script(shell string, root *kong.Node) string {
	write := map[string]func([]place) string{"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}[shell]
	return write(places(root))
}

// place is a command and what may follow it.
type place struct {
	path  string // "user list", "" at the start
	words []word
}

type word struct {
	text, help string
	value      bool // a flag that wants one
}

// places is every command of the model, the root first.
func places(n *kong.Node) []place {
	here := place{path: strings.TrimPrefix(strings.TrimPrefix(n.FullPath(), "admit"), " ")}
	for _, c := range n.Children {
		if !c.Hidden {
			here.words = append(here.words, word{c.Name, c.Help, false})
		}
	}
	for _, a := range n.Positional {
		if a.Enum != "" {
			for _, v := range a.EnumSlice() {
				here.words = append(here.words, word{v, "", false})
			}
		}
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			here.words = append(here.words, word{"--" + f.Name, f.Help, !f.IsBool()})
		}
	}
	all := []place{here}
	for _, c := range n.Children {
		if !c.Hidden {
			all = append(all, places(c)...)
		}
	}
	return all
}

// paths is a pattern of a shell's case that matches every command.
func paths(all []place) string {
	var list []string
	for _, p := range all[1:] {
		list = append(list, "'"+p.path+"'")
	}
	return strings.Join(list, "|")
}

func bash(all []place) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# bash completion for admit
_admit() {
  local current=${COMP_WORDS[COMP_CWORD]} at='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${at:+$at }${COMP_WORDS[i]}" in
      %s) at="${at:+$at }${COMP_WORDS[i]}" ;;
    esac
  done
  case $at in
`, paths(all))
	for _, p := range all {
		var plain, dashed []string
		for _, w := range p.words {
			if strings.HasPrefix(w.text, "-") {
				dashed = append(dashed, w.text)
			} else {
				plain = append(plain, w.text)
			}
		}
		fmt.Fprintf(&b, "    '%s') if [[ $current == -* ]]; then words='%s'; else words='%s'; fi ;;\n", p.path, strings.Join(dashed, " "), strings.Join(plain, " "))
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _admit admit
`)
	return b.String()
}

func zsh(all []place) string {
	var b strings.Builder
	fmt.Fprintf(&b, `#compdef admit
_admit() {
  local at='' one
  local -a choices
  for one in "${(@)words[2,CURRENT-1]}"; do
    case "${at:+$at }$one" in
      %s) at="${at:+$at }$one" ;;
    esac
  done
  case $at in
`, paths(all))
	for _, p := range all {
		fmt.Fprintf(&b, "    '%s') choices=(", p.path)
		for _, w := range p.words {
			fmt.Fprintf(&b, "\n      %s", quoted(strings.ReplaceAll(w.text, ":", `\:`)+":"+w.help, `'\''`))
		}
		b.WriteString(") ;;\n")
	}
	b.WriteString(`  esac
  _describe 'admit' choices || _files
}
compdef _admit admit
`)
	return b.String()
}

func fish(all []place) string {
	var b strings.Builder
	var list []string
	for _, p := range all[1:] {
		list = append(list, "'"+p.path+"'")
	}
	fmt.Fprintf(&b, `# fish completion for admit
function __admit_at
    set -l at ''
    for one in (commandline -opc)[2..]
        set -l next (string trim -- "$at $one")
        contains -- "$next" %s; and set at "$next"
    end
    test "$at" = "$argv[1]"
end
complete -c admit -e
`, strings.Join(list, " "))
	for _, p := range all {
		for _, w := range p.words {
			what := "-f -a " + w.text
			if name, ok := strings.CutPrefix(w.text, "--"); ok {
				what = "-l " + name
				if w.value {
					what += " -r"
				}
			}
			fmt.Fprintf(&b, "complete -c admit -n '__admit_at \"%s\"' %s -d %s\n", p.path, what, quoted(strings.ReplaceAll(w.help, `\`, `\\`), `\'`))
		}
	}
	return b.String()
}

func powershell(all []place) string {
	var b strings.Builder
	b.WriteString(`# PowerShell completion for admit
Register-ArgumentCompleter -Native -CommandName admit -ScriptBlock {
    param($current, $ast, $cursor)
    $places = @{
`)
	for _, p := range all {
		fmt.Fprintf(&b, "        '%s' = @(", p.path)
		for i, w := range p.words {
			if i > 0 {
				b.WriteString(", ")
			}
			// an empty tooltip is an error there
			fmt.Fprintf(&b, "@('%s', %s)", w.text, quoted(cmp.Or(w.help, w.text), "''"))
		}
		b.WriteString(")\n")
	}
	b.WriteString(`    }
    $at = ''
    foreach ($one in $ast.CommandElements | Select-Object -Skip 1) {
        $next = ($at + ' ' + $one.ToString()).Trim()
        if ($one.Extent.EndOffset -lt $cursor -and $places.ContainsKey($next)) { $at = $next }
    }
    $places[$at] | Where-Object { $_[0] -like "$current*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}
`)
	return b.String()
}

// quoted puts text in single quotes; escape is how the shell writes one of those inside.
func quoted(text, escape string) string { return "'" + strings.ReplaceAll(text, "'", escape) + "'" }

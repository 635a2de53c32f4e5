// Package device names what a client calls itself in words a person recognises. It is for reading, never for deciding.
package device

import "github.com/mileusna/useragent"

// Parse finds the browser and the operating system in a User-Agent, each "" when it is not known.
func Parse(userAgent string) (browser, system string) {
	ua := useragent.Parse(userAgent)
	return ua.Name, ua.OS
}

// Name is "Firefox on Linux".
func Name(userAgent string) string { return Title(Parse(userAgent)) }

// Title is the same of what Parse found.
func Title(browser, system string) string {
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	default:
		return "Unknown device"
	}
}

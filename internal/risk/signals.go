package risk

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/device"
)

// Client is where an attempt comes from, as it is kept with one: no address, and nothing that could not be told from a distance.
type Client struct {
	Browser string `json:"browser,omitempty"`
	Network string `json:"network,omitempty"` // the /24 or /48
}

// network is the /24 of an IPv4 address, the /48 of an IPv6 address, "" of what is none.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}

// newDevice is why somebody is new on a device: they are not known on it, and have been here before.
func newDevice(p Person) string {
	if p.Known || !p.Before {
		return ""
	}
	return "never signed in on this device"
}

const (
	fastest = 1000.0 // km/h: an airliner
	nearest = 500.0  // km: what is nearer may be the same place, by another provider
)

// travel is why nobody comes from one place to the other in that time, "" when somebody may, or when a place is not known.
func travel(from, to Place, took time.Duration) string {
	if !from.Located || !to.Located {
		return ""
	}
	km := distance(from, to) - float64(from.RadiusKM) - float64(to.RadiusKM)
	if km < nearest || km <= fastest*took.Hours() {
		return ""
	}
	return fmt.Sprintf("%.0f km since the last sign-in, %s ago", math.Round(km/100)*100, took.Round(time.Minute))
}

// distance is that of two places on a sphere, in km (the haversine formula).
func distance(a, b Place) float64 {
	const radius, degree = 6371.0, math.Pi / 180
	sin2 := func(x float64) float64 { s := math.Sin(x / 2); return s * s }
	h := sin2((b.Latitude-a.Latitude)*degree) + math.Cos(a.Latitude*degree)*math.Cos(b.Latitude*degree)*sin2((b.Longitude-a.Longitude)*degree)
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// velocity is which of the networks of an address did more than it may.
func velocity(what string, most int, counted []int) string {
	for i, n := range counted {
		if n >= most*spans[i].times {
			return fmt.Sprintf("%d or more %s from one %s in an hour", most*spans[i].times, what, spans[i].name)
		}
	}
	return ""
}

// stuffing is that a list of accounts is tried.
func stuffing(most, names int) string {
	if names < most {
		return ""
	}
	return fmt.Sprintf("wrong answers for %d or more accounts from one address in an hour", most)
}

// bots are parts of what clients call themselves, in lower case, that are no browser of a person. Libraries that make requests are not among
// them: programs may sign in.
var bots = []string{"headless", "phantomjs", "selenium", "webdriver", "puppeteer", "playwright", "cypress", "electron-spider", "slimerjs",
	"sqlmap", "nikto", "nmap", "masscan", "zgrab", "nuclei", "hydra", "openbullet", "silverbullet", "sentry mba", "wpscan", "acunetix", "nessus", "dirbuster", "gobuster", "ffuf", "burp",
	"scrapy", "crawler", "spider", "bytespider", "googlebot", "bingbot", "yandexbot", "baiduspider", "duckduckbot", "gptbot", "ccbot", "claudebot", "ahrefsbot", "semrushbot", "mj12bot", "petalbot", "facebookexternalhit"}

// bot is what a client calls itself that is no person's browser.
func bot(userAgent string) string {
	lower := strings.ToLower(userAgent)
	for _, name := range bots {
		if strings.Contains(lower, name) {
			return "the client calls itself " + name
		}
	}
	return ""
}

// fixation is that a sign-in goes on elsewhere than it began. A network alone may change on the way, and a browser may hand over to another on
// the same device: both at once are two devices.
func fixation(began, now Client) string {
	if began == (Client{}) || began.Browser == now.Browser || began.Network == now.Network {
		return ""
	}
	return fmt.Sprintf("begun with %s, gone on with %s in another network", named(began.Browser), named(now.Browser))
}

func named(browser string) string {
	if browser == "" {
		return "an unknown client"
	}
	return browser
}

func browserOf(userAgent string) string {
	if userAgent == "" {
		return ""
	}
	name, system := device.Parse(userAgent)
	text := device.Title(name, system)
	return text[:min(len(text), 60)]
}

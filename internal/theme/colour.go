package theme

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// colour is a colour of sRGB.
type colour struct{ r, g, b uint8 }

var (
	black = colour{0, 0, 0}
	white = colour{255, 255, 255}
)

// String is the colour as CSS writes it.
func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

func parse(s string) (colour, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 || s[0] != '#' {
		return colour{}, errors.New("no colour")
	}
	return colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// parsePair reads a colour for light and one for dark. One is for both.
func parsePair(s string) (pair [2]colour, err error) {
	light, dark, two := strings.Cut(s, ",")
	if pair[0], err = parse(strings.TrimSpace(light)); err != nil || !two {
		return [2]colour{pair[0], pair[0]}, err
	}
	pair[1], err = parse(strings.TrimSpace(dark))
	return pair, err
}

func must(s string) colour {
	c, err := parse(s)
	if err != nil {
		panic(err) // a literal of this package
	}
	return c
}

// luminance is the relative luminance of WCAG 2.2.
func (c colour) luminance() float64 {
	line := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*line(c.r) + 0.7152*line(c.g) + 0.0722*line(c.b)
}

// contrast is the contrast ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + .05) / (min(x, y) + .05)
}

// worst is the contrast of a colour with the ground it can be read on least.
func worst(c colour, on []colour) float64 {
	least := 21.0
	for _, g := range on {
		least = min(least, contrast(c, g))
	}
	return least
}

// mix is a with so much of b in it.
func mix(a, b colour, share float64) colour {
	m := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*share)) }
	return colour{m(a.r, b.r), m(a.g, b.g), m(a.b, b.b)}
}

func opposite(c colour) colour {
	if c.luminance() > .5 {
		return black
	}
	return white
}

// legible is the colour nearest to c, on its way to black or to white, that differs enough from every ground; where none does,
// the better of the two.
func legible(c colour, on []colour, enough float64) colour {
	end := black
	if worst(white, on) > worst(black, on) {
		end = white
	}
	for step := range 101 {
		if m := mix(c, end, float64(step)/100); worst(m, on) >= enough {
			return m
		}
	}
	return end
}

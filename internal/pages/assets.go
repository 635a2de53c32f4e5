package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/admit-dev/admit/internal/theme"
)

const assetPath = "/assets/"

//go:embed assets
var assetFiles embed.FS

// Not mime.TypeByExtension, which believes what the machine's own table says.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

type asset struct {
	contentType string
	content     []byte
}

// assets are the files that pages load. Their addresses hold a hash of their content, so a browser may keep them for ever.
type assets struct {
	byURL map[string]asset
	urls  map[string]string // by file name
}

// loadAssets takes in what is built in and what the theme brings. The colours of the theme go with the stylesheet: one request less.
func loadAssets(look theme.Config) (assets, error) {
	a := assets{map[string]asset{}, map[string]string{}}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return a, err
	}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, err
		}
		if e.Name() == "pages.css" {
			content = append(content, look.CSS()...)
		}
		a.add(e.Name(), path.Ext(e.Name()), content)
	}
	for name, file := range map[string]string{"logo": look.Logo, "icon": look.Icon} {
		if file == "" {
			continue
		}
		content, err := theme.ReadPicture(file)
		if err != nil {
			return a, err
		}
		a.add(name, strings.ToLower(path.Ext(file)), content)
	}
	for _, instead := range []string{"logo", "icon.svg"} {
		if a.urls["icon"] == "" {
			a.urls["icon"] = a.urls[instead]
		}
	}
	return a, nil
}

func (a assets) add(name, ext string, content []byte) {
	sum := sha256.Sum256(content)
	url := assetPath + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	a.byURL[url], a.urls[name] = asset{assetTypes[ext], content}, url
}

// url is where a file is served. A name that is not there is a mistake in a template.
func (a assets) url(name string) string {
	if a.urls[name] == "" {
		panic("pages: there is no asset " + name)
	}
	return a.urls[name]
}

// ServeHTTP sends one file.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, found := a.byURL[r.URL.Path]
	if !found {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
}

package web

import (
	"log/slog"
	"net/http"
	"time"
)

// Server is an http.Server that does not wait for the slow or read the huge: it speaks HTTP/1.1 and HTTP/2, the latter also
// without TLS behind a proxy. A handler that needs longer moves its deadlines with http.ResponseController.
func Server(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		// What it says is about clients who break off or speak nonsense: anybody could fill a log with it.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

package testkit

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

var given sync.Map // ports of this run

// FreePort is a port of 127.0.0.1 on which nobody listens, and that no other test of this run is given. It is below those that systems lend to who
// connects, so a server finds it free when it starts, and when it comes back.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(10240 + rand.N(20000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			if _, twice := given.LoadOrStore(port, true); !twice {
				return port
			}
		}
	}
	t.Fatal("no port is free")
	return ""
}

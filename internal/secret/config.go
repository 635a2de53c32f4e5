package secret

import (
	"cmp"
	"fmt"
	"runtime"
	"time"
)

// Config says what a password hash costs and how many may wait for one. A field left at 0 has its default.
type Config struct {
	MemoryKiB      int `env:"PASSWORD_HASH_MEMORY_KIB" default:"19456" min:"8" max:"1048576" doc:"Memory of one argon2id password hash, in KiB. Each worker needs this much while it hashes."`
	Iterations     int `env:"PASSWORD_HASH_ITERATIONS" default:"2" min:"1" max:"64" doc:"Passes of one argon2id password hash over its memory."`
	Parallelism    int `env:"PASSWORD_HASH_PARALLELISM" default:"1" min:"1" max:"64" doc:"Lanes of one argon2id password hash. They run one after another here, so 1 is right unless hashes are shared with a system that has more."`
	Workers        int `env:"PASSWORD_HASH_WORKERS" default:"0" min:"0" max:"1024" doc:"How many passwords are hashed at once; 0 is one for each CPU the program may use."`
	Queue          int `env:"PASSWORD_HASH_QUEUE" default:"256" min:"1" max:"65536" doc:"How many logins may wait for a worker. Beyond it they are told to try again later."`
	TimeoutSeconds int `env:"PASSWORD_HASH_TIMEOUT_SECONDS" default:"10" min:"1" max:"300" doc:"The longest a login waits for a worker, in seconds."`
}

// Check refuses costs that argon2id cannot have (RFC 9106, section 3.1) and, in production, costs under OWASP's floor.
func (c Config) Check(production bool) error {
	c = c.filled()
	if least := 8 * c.Parallelism; c.MemoryKiB < least {
		return fmt.Errorf("PASSWORD_HASH_MEMORY_KIB is %d and argon2id needs at least 8 KiB for each of PASSWORD_HASH_PARALLELISM=%d lanes: set it to %d or more",
			c.MemoryKiB, c.Parallelism, least)
	}
	if least := floor(c.Iterations); production && c.MemoryKiB < least {
		return fmt.Errorf("PASSWORD_HASH_MEMORY_KIB is %d, which is too cheap to guess in production with PASSWORD_HASH_ITERATIONS=%d (OWASP Password Storage): set it to %d or more, or remove both for the defaults",
			c.MemoryKiB, c.Iterations, least)
	}
	return nil
}

// floor is the least memory OWASP's Password Storage Cheat Sheet accepts for argon2id with so many passes.
func floor(iterations int) int {
	least := [...]int{47104, 19456, 12288, 9216, 7168}
	return least[min(max(iterations, 1), len(least))-1]
}

func (c Config) filled() Config {
	return Config{
		MemoryKiB:      cmp.Or(c.MemoryKiB, 19456),
		Iterations:     cmp.Or(c.Iterations, 2),
		Parallelism:    cmp.Or(c.Parallelism, 1),
		Workers:        cmp.Or(c.Workers, runtime.GOMAXPROCS(0)),
		Queue:          cmp.Or(c.Queue, 256),
		TimeoutSeconds: cmp.Or(c.TimeoutSeconds, 10),
	}
}

func (c Config) timeout() time.Duration { return time.Duration(c.TimeoutSeconds) * time.Second }

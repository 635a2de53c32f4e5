package risk

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/ratelimit"
)

// Service watches.
type Service struct {
	cfg   Config
	geo   *geo
	watch *watch // nil when nothing is counted
	now   func() time.Time
	log   *slog.Logger
}

// Open watches as cfg says. counts says whether what networks do is counted. A database that cannot be read is an error.
func Open(cfg Config, counts bool, now func() time.Time, log *slog.Logger) (*Service, error) {
	s := &Service{cfg: cfg, now: now, log: log}
	if counts && (cfg.Velocity != Off || cfg.Stuffing != Off) {
		s.watch = newWatch()
	}
	var err error
	s.geo, err = openGeo(cfg.GeoIP)
	return s, err
}

// Run reads databases of addresses anew when they have changed, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	if len(s.geo.files) == 0 {
		return
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.geo.reload(s.log)
		}
	}
}

// networks are the address, the network and the provider of who asks, by which they are counted.
func (s *Service) networks(ip string) []string {
	if ip == "" {
		return nil
	}
	list := []string{"ip " + ratelimit.IPKey(ip), "net " + network(ip)}
	if asn := s.geo.find(ip).ASN; asn != 0 {
		list = append(list, fmt.Sprint("asn ", asn))
	}
	return list
}

// Failed counts a wrong answer for whoever the hash of a name stands for.
func (s *Service) Failed(ctx context.Context, name string) {
	if s.watch != nil {
		s.watch.count(s.now(), whatFailed, s.networks(database.OriginOf(ctx).IP), name)
	}
}

// Door is what is unusual about whoever stands at it, whoever they say they are. It asks no database.
func (s *Service) Door(ctx context.Context) (v Verdict) {
	o := database.OriginOf(ctx)
	if s.watch != nil {
		did, names := s.watch.counted(s.now(), whatFailed, s.networks(o.IP))
		v = v.add(s.cfg.Velocity, Velocity, velocity("wrong answers", s.cfg.Failures, did))
		v = v.add(s.cfg.Stuffing, Stuffing, stuffing(s.cfg.Names, names))
	}
	return s.bot(v, o)
}

// SignUp counts a sign-up, and is what is unusual about it.
func (s *Service) SignUp(ctx context.Context) (v Verdict) {
	o := database.OriginOf(ctx)
	if s.watch != nil {
		networks := s.networks(o.IP)
		did, _ := s.watch.counted(s.now(), whatSigned, networks)
		s.watch.count(s.now(), whatSigned, networks, "")
		v = v.add(s.cfg.Velocity, Velocity, velocity("sign-ups", s.cfg.SignUps, did))
	}
	return s.bot(v, o)
}

func (s *Service) bot(v Verdict, o *database.Origin) Verdict {
	if s.cfg.Bot == Off {
		return v
	}
	return v.add(s.cfg.Bot, Bot, bot(o.UserAgent))
}

// Person is what is known of somebody who has shown a first factor.
type Person struct {
	Known  bool      // on the device that they are on
	Before bool      // they have signed in before
	LastIP string    // where they did last, "" when that is not known
	LastAt time.Time // and when
}

// AsksDevices reports whether a Person has to be known.
func (s *Service) AsksDevices() bool {
	return s.cfg.NewDevice != Off || s.cfg.Travel != Off && len(s.geo.files) > 0
}

// Person is what is unusual about somebody who has shown a first factor.
func (s *Service) Person(ctx context.Context, p Person) (v Verdict) {
	v = v.add(s.cfg.NewDevice, NewDevice, newDevice(p))
	if s.cfg.Travel != Off && len(s.geo.files) > 0 && p.LastIP != "" {
		took := max(0, s.now().Sub(p.LastAt))
		v = v.add(s.cfg.Travel, Travel, travel(s.geo.find(p.LastIP), s.geo.find(database.OriginOf(ctx).IP), took))
	}
	if p.Known {
		v = v.AtMost(StepUp) // nobody is shut out of a device of theirs
	}
	return v
}

// Here is where an attempt comes from, to be kept with it.
func (s *Service) Here(ctx context.Context) Client {
	if s.cfg.Fixation == Off {
		return Client{}
	}
	o := database.OriginOf(ctx)
	return Client{Browser: browserOf(o.UserAgent), Network: network(o.IP)}
}

// Elsewhere is what is unusual about an attempt that goes on where it did not begin.
func (s *Service) Elsewhere(ctx context.Context, began Client) (v Verdict) {
	if s.cfg.Fixation == Off {
		return v
	}
	return v.add(s.cfg.Fixation, Fixation, fixation(began, s.Here(ctx)))
}

// Detected is the event of a verdict.
func (s *Service) Detected(ctx context.Context, v Verdict, userID, identifier string) Detected {
	p := s.geo.find(database.OriginOf(ctx).IP)
	return Detected{UserID: userID, Outcome: v.Outcome, Reasons: v.Reasons, IdentifierHash: identifier, Country: p.Country, ASN: int64(p.ASN)}
}

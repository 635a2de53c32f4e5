package notify

// line is what leads to one service.
type line struct {
	channel Channel
	sender  Sender // nil when there is none
}

func newLine(c Channel) *line { return &line{channel: c} }

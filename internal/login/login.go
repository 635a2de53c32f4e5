// Package login leads a person from a name to a session. It knows neither HTTP nor any one method.
package login

import (
	"context"
	"time"

	"github.com/admit-dev/admit/internal/apperr"
	"github.com/admit-dev/admit/internal/database"
	"github.com/admit-dev/admit/internal/knowndevice"
	"github.com/admit-dev/admit/internal/lockout"
	"github.com/admit-dev/admit/internal/risk"
	"github.com/admit-dev/admit/internal/session"
	"github.com/admit-dev/admit/internal/user"
)

// The refusals of this package.
var (
	ErrCredentials = apperr.New(apperr.Unauthenticated, "invalid_credentials", "Invalid credentials")
	ErrClosed      = apperr.New(apperr.Forbidden, "account_closed", "This account is closed and will be deleted, as was asked for. The mail about it has a link that keeps it.")
	ErrDisabled    = apperr.New(apperr.Forbidden, "account_disabled", "This account is suspended. Ask the people who run this site.")
	ErrCode        = apperr.New(apperr.Unauthenticated, "code_invalid", "This code is not right, or was used before. Try the next one.").In("code")
	ErrProof       = apperr.New(apperr.Forbidden, "proof_invalid", "This is not right, or was used before. Nothing was changed. Try again.")
	ErrUnsuited    = apperr.New(apperr.Invalid, "proof_unsuited", "This cannot prove that it is you.")
	ErrAttempt     = apperr.New(apperr.NotFound, "attempt_not_found", "This sign-in has ended or run out. Begin again.")
	ErrMethod      = apperr.New(apperr.Invalid, "method_unknown", "This way to sign in is not offered here.").In("method")
	ErrChanged     = apperr.New(apperr.Conflict, "credential_changed", "This was changed while it was checked. Try again.")
	ErrIdentifier  = apperr.New(apperr.Invalid, "identifier_required", "Say who is signing in: an e-mail address, a username or a phone number.").In("identifier")
	ErrSignUpOff   = apperr.New(apperr.Forbidden, "signup_disabled", "New accounts are not open here. Ask the people who run this site.")
)

// Method is one way to show who you are: a folder, a line in app.methods and a line in config.Config.
type Method interface {
	// Name is how clients call it.
	Name() string
	// Uses says what it is for. It is all that decides where it is asked.
	Uses() Use
	// Reads reports whether an answer is in its form, right or wrong: one that is meant for another method at the same point
	// need not wait until that was chosen.
	Reads(in Answer) bool
	// Begin says what to ask.
	Begin(ctx context.Context, a Attempt) (Prompt, error)
	// Verify judges an answer. It is the slow part: no transaction is open. A refusal that is neither ErrCredentials nor
	// ErrCode is shown as it is. When a.User is nil it must cost what it costs for a person who is known.
	Verify(ctx context.Context, a Attempt, in Answer) (Proof, error)
}

// Use is what a method is for: one of these, or several.
type Use uint

// The uses of a method.
const (
	First   Use = 1 << iota // it opens the door
	Second                  // it is asked after a first one, of people who have set it up
	StepUp                  // it shows of somebody signed in that it is still them
	Spare                   // it stands in for every second factor; it must be a Replacement
	Finds                   // it finds out itself whose an answer is: nobody needs to say who they are
	Address                 // it shows whose the address is, of people whose address is not verified
	Passes                  // no lock stops it: its answers cannot be guessed, or what was sent counts the guesses at it
	Mail                    // it comes by mail: two that do are one factor
	Text                    // it comes by text message: so are these
	Check                   // it shows that whoever is at the door is no program, and not who they are
	Confirm                 // it shows that somebody reads their mail, where a sign-in is unusual: of people without a second factor, and in place of a Check
)

// Keeper is a method that keeps something of people which opens the door.
type Keeper interface {
	Method
	// Discard takes all of it away from a person, and says so with an event if there was any.
	Discard(tx *database.Tx, userID string) error
}

// Opener is a method that only some people can sign in by.
type Opener interface {
	// Opens reports whether a person could sign in by it now.
	Opens(ctx context.Context, q database.Querier, userID string) (bool, error)
}

// Enroller is a second factor that can be set up inside a sign-in, by whoever has none and needs one.
type Enroller interface {
	Method
	// Offer makes what is to be set up, and says it.
	Offer(ctx context.Context, a Attempt) (Prompt, error)
	// Confirm judges the answer that shows that it works, as Verify does. Consume keeps it.
	Confirm(ctx context.Context, a Attempt, in Answer) (Proof, error)
}

// Replacement is a second factor that comes with the first one a person sets up and goes with the last.
type Replacement interface {
	Keeper
	// Issue makes new ones in place of those there are. They are shown this once.
	Issue(tx *database.Tx, userID string) ([]string, error)
}

// Prompt is what a person is asked. A page draws it, the API sends it.
type Prompt struct {
	Method    string  `json:"method" doc:"The method that asks."`
	Fields    []Field `json:"fields" doc:"What to fill in."`
	Redirect  string  `json:"redirect,omitempty" doc:"Where to send the browser instead."`
	Challenge any     `json:"challenge,omitempty" doc:"What to sign, for methods that sign; what to set up, where that is asked."`
	Wait      int     `json:"retry_after,omitempty" doc:"Nothing was sent: too much was, or too many wrong codes were entered. It can be in so many seconds; another way is open now."`
	Enrol     bool    `json:"enrol,omitempty" doc:"A second factor is required and is set up here: show the challenge, and send what it gives."`
}

// Field is one input.
type Field struct {
	Name         string `json:"name" doc:"The key of its value."`
	Type         string `json:"type" enum:"text,password,code" doc:"How it is typed."`
	Autocomplete string `json:"autocomplete" doc:"The HTML autocomplete token."`
}

// Answer is what a person filled in, by field name.
type Answer map[string]string

// Proof is a method's word for who somebody is. It counts once Consume has succeeded in the sign-in's own change.
type Proof struct {
	UserID  string                      // whose it is, of an attempt that began without a name
	AMR     string                      // RFC 8176: pwd, otp, …; several with spaces between them
	Whole   bool                        // it shows two factors at once: no second one is asked after it
	Owns    bool                        // it shows whose the identifier of the attempt is: the person is whoever has it, or is made
	Consume func(tx *database.Tx) error // spends what may be used once; nil when there is nothing to spend
}

// Shown is a proof that has been consumed.
type Shown struct {
	Method string `json:"method"`
	AMR    string `json:"amr"`
	Whole  bool   `json:"whole,omitempty"`
}

// Attempt is a sign-in under way.
type Attempt struct {
	ID         string // a secret of whoever began it; "" while it fits into one request
	Identifier user.Identifier
	User       *user.User // nil when nobody is known by the identifier
	SessionID  string     // of somebody signed in who proves again that it is them; "" at the door
	Method     string     // what is asked now
	Shown      []Shown
	Remember   bool   // as was asked when it began
	RequireMFA bool   // whoever signs in has to have a second factor at the end of it
	ReturnTo   string // where its browser wants to be afterwards; allowed by whoever began it
	Risk       Risk
	ExpiresAt  time.Time

	try lockout.Try // the one that is judged now
}

// Risk is what is remembered of how unusual an attempt is.
type Risk struct {
	Began      risk.Client `json:"began,omitzero"`
	Greeted    bool        `json:"greeted,omitempty"`    // something was unusual about where it comes from, and that was told
	Challenged bool        `json:"challenged,omitempty"` // a program is to be kept out before it goes on
	StepUp     bool        `json:"step_up,omitempty"`    // more is asked than otherwise
	Assessed   bool        `json:"assessed,omitempty"`   // whose it is was looked at
	Tell       bool        `json:"tell,omitempty"`       // its person is to hear of it, on whatever device it is
	SignUp     bool        `json:"sign_up,omitempty"`    // it is of a sign-up, and signs nobody in
}

// Nameless reports whether nobody has said yet who signs in.
func (a Attempt) Nameless() bool { return a.User == nil && a.Identifier == user.Identifier{} }

// Step is what an attempt waits for.
type Step struct {
	ID      string   `json:"id" doc:"The attempt. Keep it secret."`
	Prompt  Prompt   `json:"prompt" doc:"What is asked now."`
	Methods []string `json:"methods" doc:"The methods to choose from at this point."`
	Trust   int      `json:"trust_days,omitempty" doc:"Days that this browser is asked for no second factor if the answer says trust. None where that is not offered."`
}

// Finish is how the session is to be made once a sign-in is complete.
type Finish struct {
	Transport session.Transport
	Remember  bool
	Replaces  string // the session cookie the browser came with
	Cookies   bool   // the client keeps cookies, whatever its transport
	Trust     bool   // its person wants to be asked for no second factor on it for a while
	Given     Given  // of a sign-up: the answer to what was asked before it
}

// Given is the answer to what a sign-up was asked before it goes on.
type Given struct {
	Attempt string // "" when nothing was asked yet
	Answer  Answer
}

// Outcome is a session, or the step that is still asked.
type Outcome struct {
	Step       *Step    // nil when the sign-in is complete
	Spares     []string // what stands in for the second factor that was set up in it; shown this once
	User       user.User
	Session    session.Session
	Credential string // the session cookie's value or the refresh token
	Device     knowndevice.Arrival

	ReturnTo string // of the attempt

	then Attempt // the attempt of the step
}

type (
	// Succeeded is told of a complete sign-in.
	Succeeded struct {
		UserID    string   `json:"user_id"`
		SessionID string   `json:"session_id"`
		Methods   []string `json:"methods"`
	}
	// Failed is told of an answer that was wrong. The identifier is given as a keyed hash, so that patterns show and people do not.
	Failed struct {
		UserID         string `json:"user_id,omitempty"`
		Method         string `json:"method"`
		Reason         string `json:"reason"`                    // unknown_user, wrong_answer, user_disabled
		IdentifierHash string `json:"identifier_hash,omitempty"` // none where nobody said who they are
	}
	// Begun is told of a sign-in that takes more than one request.
	Begun struct {
		UserID string `json:"user_id,omitempty"`
		Method string `json:"method"`
	}
	// Reclaimed is told of an account that the owner of its address took over from whoever had made it without showing that the
	// address is theirs.
	Reclaimed struct {
		UserID string `json:"user_id"`
	}
	// ProofFailed is told of somebody signed in who could not prove again that it is them.
	ProofFailed struct {
		UserID string `json:"user_id"`
		Method string `json:"method"`
	}
)

func (Succeeded) Kind() string   { return "login.succeeded" }
func (Failed) Kind() string      { return "login.failed" }
func (Begun) Kind() string       { return "login.begun" }
func (Reclaimed) Kind() string   { return "account.reclaimed" }
func (ProofFailed) Kind() string { return "login.proof_failed" }

func (e Succeeded) Subject() string   { return e.UserID }
func (e Failed) Subject() string      { return e.UserID }
func (e Begun) Subject() string       { return e.UserID }
func (e Reclaimed) Subject() string   { return e.UserID }
func (e ProofFailed) Subject() string { return e.UserID }

func (Failed) Failed()      {}
func (ProofFailed) Failed() {}

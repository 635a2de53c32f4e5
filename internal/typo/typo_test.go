package typo

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"serve", "user", "migrate", "org", "completion", "key"}
	for name, want := range map[string]string{
		"serv": "serve", "sevre": "serve", "orgs": "org", "migrat": "migrate", "mirgaet": "migrate", "SERVE": "serve",
		"completoin": "completion", "usres": "", "x": "", "": "", "verse": "", "ab": "", "kye": "key",
	} {
		if got, ok := Nearest(name, names); got != want && ok || ok != (want != "") {
			t.Errorf("%q is near %q, %v", name, got, ok)
		}
	}
	a, _ := Nearest("mail_host", []string{"MAIL_HOSTB", "MAIL_HOSTA"})
	b, _ := Nearest("mail_host", []string{"MAIL_HOSTA", "MAIL_HOSTB"})
	if a != b {
		t.Error("the order of names decides", a, b)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"A", "A", 0}, {"", "AB", 2}, {"AB", "BA", 1}, {"ABC", "AXC", 1}, {"ABCD", "ACBD", 1}, {"ABCDE", "ABC", 2}, {"ABC", "XYZ", 3}, {"ABCDEF", "", 3}, {"ABCDEF", "FEDCBA", 3}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != got {
			t.Errorf("%s to %s is %d", c.a, c.b, got)
		}
	}
}

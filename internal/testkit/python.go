package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// Python is an interpreter that has what the package, its examples and the apps of admit init import. The fast tests go without.
func Python(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the fast tests start no Python")
	}
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if name != "" && exec.Command(name, "-c", "import jwt, cryptography, fastapi, uvicorn, httpx, flask, django").Run() == nil {
			return name
		}
	}
	t.Fatal("there is no Python with PyJWT, FastAPI, uvicorn, httpx, Flask and Django. Run make test, which installs them, or set PYTHON to one that has them.")
	return ""
}

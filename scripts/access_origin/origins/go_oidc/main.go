// The verifier of Cloudflare's documentation, in Go and go-oidc: it works unchanged behind edgeworker.
//
//	TEAM_DOMAIN=http://acme.localhost:8787 POLICY_AUD=... go run .
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/coreos/go-oidc"
)

var (
	ctx        = context.TODO()
	teamDomain = os.Getenv("TEAM_DOMAIN")
	certsURL   = fmt.Sprintf("%s/cdn-cgi/access/certs", teamDomain)
	policyAUD  = os.Getenv("POLICY_AUD")

	config   = &oidc.Config{ClientID: policyAUD}
	keySet   = oidc.NewRemoteKeySet(ctx, certsURL)
	verifier = oidc.NewVerifier(teamDomain, keySet, config)
)

// VerifyToken is a middleware to verify a CF Access token
func VerifyToken(next http.Handler) http.Handler {
	fn := func(w http.ResponseWriter, r *http.Request) {
		accessJWT := r.Header.Get("Cf-Access-Jwt-Assertion")
		if accessJWT == "" {
			w.WriteHeader(http.StatusUnauthorized)
			w.Write([]byte("No token on the request"))
			return
		}
		if _, err := verifier.Verify(r.Context(), accessJWT); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			w.Write([]byte(fmt.Sprintf("Invalid token: %s", err.Error())))
			return
		}
		next.ServeHTTP(w, r)
	}
	return http.HandlerFunc(fn)
}

func MainHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("welcome"))
	})
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "3000"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	http.Handle("/", VerifyToken(MainHandler()))
	http.Serve(listener, nil)
}

// Certificates writes the root certificates of Mozilla's trust store to standard output,
// as PEM. Their version is the one of golang.org/x/crypto/x509roots/fallback in go.mod.
package main

import (
	"encoding/pem"
	"log"
	"os"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

func main() {
	for root := range bundle.Roots() {
		// PEM cannot hold a constraint. Without it, a client would trust more than Mozilla does.
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(os.Stdout, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			log.Fatal(err)
		}
	}
}

// Leaf certificates by cfssl's library, as many as asked for: new key, request, signature. `cfssl ca.crt ca.key COUNT ALGORITHM`
// prints seconds. An algorithm is ecdsa or rsa.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/cloudflare/cfssl/config"
	"github.com/cloudflare/cfssl/csr"
	"github.com/cloudflare/cfssl/signer"
	"github.com/cloudflare/cfssl/signer/local"
	"github.com/cloudflare/cfssl/log"
)

func main() {
	log.Level = log.LevelError
	seconds, err := measure(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(seconds)
}

func measure(authority, key, written, algorithm string) (float64, error) {
	count, err := strconv.Atoi(written)
	if err != nil {
		return 0, err
	}
	profile := &config.SigningProfile{
		Usage:        []string{"digital signature", "server auth"},
		Expiry:       2160 * time.Hour,
		ExpiryString: "2160h",
	}
	signs, err := local.NewSignerFromFile(authority, key, &config.Signing{Default: profile})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for range count {
		if err := issue(signs, algorithm); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}

func issue(signs signer.Signer, algorithm string) error {
	size := 256
	if algorithm == "rsa" {
		size = 2048
	}
	request := &csr.CertificateRequest{
		CN:         "system:node:node1",
		Names:      []csr.Name{{O: "system:nodes"}},
		Hosts:      []string{"node1", "node1.k8s.internal", "192.0.2.31", "fd88:1::1"},
		KeyRequest: &csr.KeyRequest{A: algorithm, S: size},
	}
	made, _, err := csr.ParseRequest(request)
	if err != nil {
		return err
	}
	_, err = signs.Sign(signer.SignRequest{Request: string(made)})
	return err
}

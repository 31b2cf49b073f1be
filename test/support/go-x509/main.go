// Says what Go's crypto/x509 makes of certificates: what kube-apiserver, kubelet and etcd verify with.
// Standard input: a JSON list of cases; standard output: a list of errors, empty where a case is accepted.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
)

type verification struct {
	// The leaf and what is served behind it, PEM.
	Chain string
	// Whom the other side trusts, PEM.
	Trust string
	// "server" or "client".
	As string
	// A DNS name or an address, for servers; empty: not asked for.
	Name string
}

func main() {
	var cases []verification
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	said := make([]string, len(cases))
	for at, one := range cases {
		if err := verify(one); err != nil {
			said[at] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		os.Exit(1)
	}
}

func verify(one verification) error {
	served, err := certificates(one.Chain)
	if err != nil || len(served) == 0 {
		return fmt.Errorf("no chain: %v", err)
	}
	trusted, err := certificates(one.Trust)
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		DNSName:       one.Name,
		Roots:         pool(trusted),
		Intermediates: pool(served[1:]),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if one.As == "client" {
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	_, err = served[0].Verify(options)
	return err
}

func pool(all []*x509.Certificate) *x509.CertPool {
	made := x509.NewCertPool()
	for _, one := range all {
		made.AddCert(one)
	}
	return made
}

func certificates(text string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all, nil
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, parsed)
	}
}

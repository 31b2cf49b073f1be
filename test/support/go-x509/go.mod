module firn.dev/test/go-x509

go 1.21

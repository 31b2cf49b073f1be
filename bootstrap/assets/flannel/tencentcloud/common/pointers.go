// Package common stands in for a library that the Go module proxy does not have, for a backend that nobody asks for.
package common

func StringPtr(value string) *string { return &value }

func BoolPtr(value bool) *bool { return &value }

func StringPtrs(values []string) []*string {
	pointers := make([]*string, len(values))
	for at := range values {
		pointers[at] = &values[at]
	}
	return pointers
}

// Package errors stands in for the library's.
package errors

type TencentCloudSDKError struct{}

func (*TencentCloudSDKError) Error() string { return "this build has no such backend" }

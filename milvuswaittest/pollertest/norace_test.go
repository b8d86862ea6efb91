//go:build !race

package pollertest_test

const raceDetector = false

//go:build !race

package milvuswait_test

const raceEnabled = false

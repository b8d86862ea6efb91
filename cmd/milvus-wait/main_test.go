package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this binary usable as milvus-wait.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"milvus-wait": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":  exits,
			"milvus": milvus,
			"echo":   echoServer,
			"closed": closedPort,
			"mute":   muteServer,
			"evil":   evilServer,
			"http":   httpServer,
			"proxy":  proxyServer,
			"tunnel": tunnelProxy,
			"clean":  clean,
			"json":   validJSON,
			"hidden": hidden,
		},
	})
}

// Licences writes the modules linked into milvus-wait, with their licences, to a file.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: licences FILE: write a list of the modules linked into milvus-wait, with their licences, in Markdown")
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	text, err := Write()
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}

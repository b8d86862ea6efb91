package cli

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
)

const about = `Milvus-wait blocks until Milvus collections are really loaded, indexes are really
built, and imports and compactions are completed. It only reads: it never loads,
creates, flushes, imports, compacts or releases.

Try it without a server: milvus-wait demo

Exit codes:
  0    all targets are complete
  1    a target failed; the reason is on stderr
  2    usage error; the last line on stderr is "see milvus-wait --help"
  124  the time was up; the last progress of every target is on stderr
  128+n  ended by signal n: 129 SIGHUP, 130 ctrl-C, 131 SIGQUIT, 143 SIGTERM; it still
       writes its result, and a second signal ends it at once
  141  output pipe closed, as by head (SIGPIPE)

A crash of Go's runtime also exits with 2, for example with too little memory for a
process or on SIGABRT. Stack traces are on stderr then, and not the last line above.

A wait runs the command after --, if there is one, once all targets are complete.
Signals are handed on to it. The exit code is its own then, 128+n if signal n ended
it, and 126 or 127 if it cannot be run. --timeout does not apply to it.

Environment, which flags override:
  MILVUS_URI      http://HOST:PORT, https://HOST:PORT or HOST:PORT, and /DATABASE;
                  also with USER:PASSWORD@ before the host, which --uri refuses
  MILVUS_DB       the database
  MILVUS_TOKEN    an API key or USER:PASSWORD
  MILVUS_USER     name of the user, with MILVUS_PASSWORD
  MILVUS_ADDRESS means the same as MILVUS_URI, MILVUS_DB_NAME and MILVUS_DATABASE
  the same as MILVUS_DB, and MILVUS_USERNAME the same as MILVUS_USER. Two that
  differ are a usage error. MILVUS_HOST, MILVUS_URL, MILVUS_ENDPOINT, MILVUS_ADDR
  and MILVUS_DEFAULT_CONNECTION are not read: they are a usage error without an
  address, and have no effect with one. MILVUS_PORT has none at all: Kubernetes
  sets it for another purpose.
  NO_COLOR, CI, TERM=dumb, COLUMNS, GITHUB_ACTIONS and GITHUB_STEP_SUMMARY have
  their usual meaning.

The result goes to stdout and the progress to stderr: bars on a terminal, and
lines in a pipe, in CI and with -v.`

const aboutCompletion = `Generate the completion script for bash, fish, powershell or zsh. The help of each
shell has more ways to install it, such as: milvus-wait completion bash --help

The script completes commands, flags and names on the server: collections, partitions
after COLLECTION: and each comma, indexes after COLLECTION/, and databases after --db.
It uses the address and the credentials on the command line and in the environment,
for at most 1 second. If the server does not answer, or a file of these flags is no
regular file, there are no names. A name with special characters of shells is
completed once no other name has the same beginning.`

// Root returns the command with all its subcommands, for the manual.
func Root() *cobra.Command {
	root := new(app).root()
	addHelpers(root)
	return root
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "milvus-wait",
		Short:             "Wait until Milvus collections are loaded and indexes are built",
		Long:              about,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              knownCommand,
		RunE: func(*cobra.Command, []string) error {
			return exit.Usagef("a command is missing, such as: milvus-wait load COLLECTION")
		},
	}

	a.global.register(root.PersistentFlags())
	a.completeFlags(root)
	root.SetFlagErrorFunc(flagError)

	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd.HasSubCommands() {
			if a.unhelpful = knownCommand(cmd, cmd.Flags().Args()); a.unhelpful != nil {
				return
			}
		}
		help(cmd, args)
	})

	root.AddCommand(a.load(), a.index(), a.all(), a.imports(), a.compaction(), a.ready(), a.progress(), a.demo())
	return root
}

// execute runs the command. Cobra returns no error for the help of an unknown command.
func (a *app) execute(ctx context.Context, root *cobra.Command) error {
	return cmp.Or(root.ExecuteContext(ctx), a.unhelpful)
}

// addHelpers adds cobra's commands help and completion, and --help. Call it after the outputs of root
// are set: the commands copy them.
func addHelpers(root *cobra.Command) {
	root.SetHelpCommand(helpCommand())
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"})
	completion.Long = aboutCompletion
	completion.Example = `  source <(milvus-wait completion bash)   # in ~/.bashrc, with the package bash-completion
  milvus-wait completion zsh > "${fpath[1]}/_milvus-wait"
  milvus-wait completion fish > ~/.config/fish/completions/milvus-wait.fish`
	completion.Args = knownCommand
	completion.RunE = func(*cobra.Command, []string) error {
		return exit.Usagef("the shell is missing: bash, fish, powershell or zsh")
	}
	for _, shell := range completion.Commands() {
		shell.Args = noArguments
	}
	addHelpFlags(root)
}

// addHelpFlags adds --help to cmd and its subcommands. Cobra adds it after the search for the
// command, which takes the argument after an unknown flag for its value: without this, --help
// before a command hides the command.
func addHelpFlags(cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	for _, c := range cmd.Commands() {
		addHelpFlags(c)
	}
}

// helpCommand returns the command help. Unlike cobra's, it fails for an unknown command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = knownCommand(found, rest)
			}
			if err != nil {
				return err
			}
			return found.Help()
		},
	}
}

// knownCommand returns a usage error for arguments of a command that only has
// subcommands.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if err := target.NoAddress(args[0]); err != nil {
		return exit.AsUsage(err)
	}

	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}

	text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	if meant := similar(args[0], names, secret.Mask{}); meant != "" {
		text += "; " + meant
	}
	return exit.Usagef("%s", text)
}

// noArguments returns a usage error for arguments before -- of a command that takes none.
func noArguments(cmd *cobra.Command, args []string) error {
	args = beforeDash(cmd, args)
	if len(args) == 0 {
		return nil
	}

	if err := target.NoAddress(args[0]); err != nil {
		return exit.AsUsage(err)
	}
	return exit.Usagef("%s takes no arguments: %q", cmd.CommandPath(), args[0])
}

// Version is the version of the command, set by -ldflags "-X …" in released binaries.
var Version string

func version() string {
	if Version != "" {
		return Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

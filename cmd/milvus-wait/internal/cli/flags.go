package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// globalFlags are the flags of every command.
type globalFlags struct {
	uri, db        string
	connectTimeout time.Duration
	tokenFile      string
	user           string
	passwordFile   string
	tlsCA          string
	tlsCert        string
	tlsKey         string
	tlsServerName  string
	insecure       bool
	timeout        time.Duration
	format         string
	quiet          bool
	verbose        bool
	noColor        bool
}

func (g *globalFlags) register(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&g.uri, "uri", "", "`address` of the server (default http://localhost:19530)")
	flags.StringVar(&g.db, "db", "", "`name` of the database (default the database in the address, or the server's default)")
	flags.DurationVar(&g.timeout, "timeout", 10*time.Minute, "maximum total time; 0 means no limit")
	flags.DurationVar(&g.connectTimeout, "connect-timeout", 5*time.Second, "maximum time for one attempt to connect; below 3s counts as 3s, and above 10s as 10s; for progress, the total time, without these limits")
	flags.StringVar(&g.tokenFile, "token-file", "", "`file` with an API key or USER:PASSWORD, read again when the server refuses it; - is stdin")
	flags.StringVar(&g.user, "user", "", "`name` of the user, with --password-file")
	flags.StringVar(&g.passwordFile, "password-file", "", "`file` with the user's password, read again like --token-file; - is stdin")
	flags.StringVar(&g.tlsCA, "tls-ca", "", "PEM `file` of the authorities to trust, read again before each handshake (default the system's)")
	flags.StringVar(&g.tlsCert, "tls-cert", "", "PEM `file` of this client's certificate, with --tls-key, for servers that require one; read again like --tls-ca")
	flags.StringVar(&g.tlsKey, "tls-key", "", "PEM `file` of the key of --tls-cert, read again like --tls-ca")
	flags.StringVar(&g.tlsServerName, "tls-server-name", "", "`name` in the server's certificate (default the host)")
	flags.BoolVar(&g.insecure, "insecure-credentials", false, "send credentials in plain text to other machines and proxies too")
	flags.StringVarP(&g.format, "output", "o", string(output.Text), "`format` of the result: text, json (one document) or jsonl (events)")
	flags.BoolVarP(&g.quiet, "quiet", "q", false, "show no progress")
	flags.BoolVarP(&g.verbose, "verbose", "v", false, "show every poll")
	flags.BoolVar(&g.noColor, "no-color", false, "show no colours")
}

// configure sets the output and checks the values of flags, as far as cobra has not.
func (a *app) configure(flags *pflag.FlagSet) error {
	g := a.global
	format := output.Format(strings.ToLower(g.format))
	switch format {
	case output.Text, output.JSON, output.JSONL:
	default:
		return exit.Usagef("-o %q: must be text, json or jsonl", g.format)
	}

	a.output = output.Config{
		Stdout: a.result, Stderr: a.Stderr, Format: format, Quiet: g.quiet, Verbose: g.verbose,
		Terminal: output.Detect(a.Stdout, a.Stderr, a.Getenv, format, g.noColor),
		GitHub:   output.GitHub{Annotations: a.Getenv("GITHUB_ACTIONS") == "true", Summary: a.Getenv("GITHUB_STEP_SUMMARY")},
	}

	switch {
	case g.connectTimeout == 0:
		return exit.Usagef("--connect-timeout 0s is not positive")
	case g.quiet && g.verbose:
		return exit.Usagef("-q and -v exclude each other")
	}
	return checkValues(flags)
}

// checkValues returns a usage error for an empty value, as of an unset variable in a
// script, and for a negative duration.
func checkValues(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		switch value := f.Value.String(); {
		case err != nil:
		case f.Value.Type() == "string" && strings.TrimSpace(value) == "":
			err = exit.Usagef("--%s is empty", f.Name)
		case f.Value.Type() == "duration" && strings.HasPrefix(value, "-"):
			err = exit.Usagef("--%s %s is negative%s", f.Name, value, zero(f))
		}
	})
	return err
}

// flagError returns cobra's error about a flag, with two exceptions. An unknown flag gets a
// suggestion, and an invalid duration a hint.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		return unknownFlag(cmd, unknown)
	}

	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "duration" {
		return durationError(invalid.GetFlag(), invalid.GetValue())
	}
	return err
}

// durationError returns the error about an invalid duration.
func durationError(f *pflag.Flag, value string) error {
	number := strings.TrimRight(value, "hmsnuµ")
	switch {
	case strings.TrimSpace(value) == "":
		return fmt.Errorf("--%s is empty", f.Name)
	case isNumber(value):
		return fmt.Errorf("--%s %s has no unit: use %[2]ss for seconds", f.Name, value)
	case isNumber(strings.TrimPrefix(value, "-")):
		return fmt.Errorf("--%s %s is negative%s", f.Name, value, zero(f))
	case isNumber(number) && slices.Contains([]string{"h", "m", "s", "ms"}, value[len(number):]):
		return fmt.Errorf("--%s %s is too long%s", f.Name, value, zero(f))
	}
	return fmt.Errorf("--%s %q: must be a duration such as 90s, 10m or 1h30m%s", f.Name, value, zero(f))
}

// isNumber reports whether s is a number of digits, with or without a decimal point.
func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "0123456789.") == ""
}

// zero returns the meaning of 0 for a duration, as in its usage, or "".
func zero(f *pflag.Flag) string {
	if _, meaning, found := strings.Cut(f.Usage, "; 0 means "); found {
		return "; 0 means " + meaning
	}
	return ""
}

// waitFlags are the flags of commands that wait. They set options of the library.
type waitFlags struct {
	refresh         bool
	rowsAtStart     bool
	stall           time.Duration
	grace           time.Duration
	settle          time.Duration
	verify          string
	unreachable     time.Duration
	interval        time.Duration
	maxInterval     time.Duration
	continueOnError bool
}

// register adds the flags of every wait for collections.
func (w *waitFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&w.settle, "settle", 0, "finish only after all targets have been complete for this long")
	flags.StringVar(&w.verify, "verify", "", "finish only after a query with this `filter`, such as 'id in [5,6,7]', finds a row, in each named partition")
	w.registerJobs(flags)
}

// registerJobs adds the flags of every wait, also for jobs.
func (w *waitFlags) registerJobs(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.DurationVar(&w.grace, "grace", 0, "tolerate missing or unloaded targets for this long")
	flags.DurationVar(&w.stall, "stall", 0, "fail when progress does not change for this long; 0 means never")
	flags.DurationVar(&w.unreachable, "unreachable", 5*time.Minute, "fail when all polls fail for this long; 0 means never")
	w.registerPace(flags)
	flags.BoolVar(&w.continueOnError, "continue-on-error", false, "wait for the other targets when one fails")
}

func (w *waitFlags) registerPace(flags *pflag.FlagSet) {
	flags.DurationVar(&w.interval, "interval", 0, "minimum time between polls (default 40ms for loads, 100ms for others)")
	flags.DurationVar(&w.maxInterval, "max-interval", 0, "maximum time between polls (default 5s)")
}

func (w *waitFlags) registerRefresh(flags *pflag.FlagSet) {
	flags.BoolVar(&w.refresh, "refresh", false, "also wait for a refresh (load with refresh=true); Milvus 2.3 or newer")
}

// registerRows adds the flags about the rows of an index. The values of --rows go to rows.
func (w *waitFlags) registerRows(flags *pflag.FlagSet, rows *[]string) {
	flags.StringArrayVar(rows, "rows", nil, "minimum rows of each index, as `N or COLLECTION=N`; may be repeated")
	flags.BoolVar(&w.rowsAtStart, "rows-at-start", false, "finish when the rows at the start are indexed, for collections with continuous writes; --rows applies in addition")
}

// defaultMaxInterval is the default of milvuswait.Backoff.Max.
const defaultMaxInterval = 5 * time.Second

// options returns the options set by the flags.
func (w *waitFlags) options() []milvuswait.Option {
	options := append(w.asking(),
		milvuswait.WithStartGrace(w.grace),
		milvuswait.WithStallTimeout(w.stall),
		milvuswait.WithSettle(w.settle),
	)
	if w.refresh {
		options = append(options, milvuswait.WithRefresh())
	}
	if w.rowsAtStart {
		options = append(options, milvuswait.WithIndexCriterion(milvuswait.RowsAtStart))
	}
	if w.continueOnError {
		options = append(options, milvuswait.WithContinueOnError())
	}
	return options
}

// asking returns the options about requests to the server: the pace, and the time for
// transient errors.
func (w *waitFlags) asking() []milvuswait.Option {
	pace := milvuswait.Backoff{Initial: w.interval, Max: w.maxInterval}
	if w.maxInterval == 0 && w.interval > defaultMaxInterval {
		pace.Max = w.interval
	}
	return []milvuswait.Option{milvuswait.WithBackoff(pace), milvuswait.WithUnreachableAfter(w.unreachable)}
}

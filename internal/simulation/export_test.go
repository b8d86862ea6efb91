package simulation

// RuleNames returns the names of the rules applied by Check.
func RuleNames() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// RuleFiles returns the library's files named by the rules.
func RuleFiles() []string {
	var files []string
	for _, r := range rules {
		files = append(files, r.file)
	}
	return files
}

// Broken returns the names of all rules broken by a log.
func Broken(s *Scenario, log Log) []string {
	v := gather(s, log)
	var names []string
	for _, r := range rules {
		if r.check(v) != nil {
			names = append(names, r.name)
		}
	}
	return names
}

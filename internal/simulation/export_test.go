package simulation

// RuleNames returns what Check checks.
func RuleNames() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// RuleFiles returns the product's files of all rules.
func RuleFiles() []string {
	var files []string
	for _, r := range rules {
		files = append(files, r.file)
	}
	return files
}

// Broken returns all the rules that a log breaks.
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

package container

import "strings"

// Lacks says which command a container would not find when it starts: its own, or the interpreter that its own asks for.
// Nothing is run. script, if there is one, is put into the file that the command begins with. The error is a *StartError
// where the container could not be made at all.
func Lacks(cfg Config, script []byte) ([]MissingCommand, error) {
	c, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	argv := c.argv()
	if len(argv) == 0 {
		return nil, &StartError{"failed to generate container spec: no command specified"}
	}
	if script != nil {
		if err := c.root.WriteFile(argv[0], script, 0o755); err != nil {
			return nil, err
		}
	}
	p := c.newProcess(nil)
	defer c.discard(p)
	p.Args, p.Env = argv, c.env
	found, err := p.find(argv, p.searched(), true)
	if err != nil && len(c.missing) == 0 {
		return nil, &StartError{"exec: " + startReason(argv[0], err)}
	}
	if err == nil && found.env {
		if words := behindEnv(found.args); len(words) > 0 {
			_, _ = p.find(words, p.searched(), found.launcher) // what is missing is in c.missing
		}
	}
	return c.missing, nil
}

// behindEnv is the command line that env is to start, or nothing if its options change what it starts.
func behindEnv(argv []string) []string {
	for i, word := range argv[1:] {
		switch {
		case strings.HasPrefix(word, "-S"): // of a "#!" line, which has one argument
			return strings.Fields(word[len("-S"):])
		case word == "-i" || word == "--" || word == "-" || strings.Contains(word, "="):
		case strings.HasPrefix(word, "-"):
			return nil
		default:
			return argv[1+i:]
		}
	}
	return nil
}

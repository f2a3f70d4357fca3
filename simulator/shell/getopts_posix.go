package shell

import (
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// optionPlace is where getopts of ash and dash goes on. They keep it for themselves: the variable OPTIND only shows it,
// and sets it when a script assigns to it.
type optionPlace struct {
	word   int // the next word, counted from 1; negative if getopts could not set its variables
	offset int // of the next letter in the word before it, or 0
}

// firstOption is where getopts begins.
var firstOption = optionPlace{word: 1}

// getopts is getopts of ash and dash.
func (s *shell) getopts(args []string) int {
	if len(args) < 3 {
		if s.kind == dash {
			s.complain("Usage: getopts optstring var [arg...]")
		} else {
			s.complain("usage: getopts optstring var [arg]")
		}
		return statusUsage
	}
	words := s.args
	if len(args) > 3 {
		words = args[3:]
	}
	if w := s.nextOptions.word; w < 0 || w > len(words)+1 {
		s.nextOptions = firstOption
	}
	return s.nextOption(args[1], args[2], words)
}

// nextOption takes the next letter of the words, and sets the variables.
func (s *shell) nextOption(letters, name string, words []string) int {
	place := s.nextOptions
	s.nextOptions.word = -1
	next, rest := place.word-1, "" // the word to read next, and what is left of the one before it
	if next > 0 && place.offset > 0 && place.offset <= len(words[next-1]) {
		rest = words[next-1][place.offset:]
	}
	var err error
	set := func(name, value string) {
		if err == nil {
			err = s.show(name, value)
		}
	}
	unset := func(name string) {
		if err == nil {
			err = s.unset(name)
		}
	}
	result, done := "?", 0
	within := false // the next call looks behind the letter first, even if the word ends there
	if rest == "" {
		switch {
		case next >= len(words) || len(words[next]) < 2 || words[next][0] != '-':
			done = 1
		default:
			rest = words[next][1:]
			if next++; rest == "-" {
				done = 1
			}
		}
	}
	switch {
	case done != 0 && s.kind == ash:
		unset("OPTARG")
	case done == 0:
		letter := rest[:1]
		rest = rest[1:]
		silent := strings.HasPrefix(letters, ":")
		known, takes := optionOf(strings.TrimPrefix(letters, ":"), letter)
		switch {
		case !known && silent:
			set("OPTARG", letter)
			within = true
		case !known:
			s.print(2, "Illegal option -"+letter+"\n")
			unset("OPTARG")
			within = true
		case !takes:
			set("OPTARG", "")
			result, within = letter, true
		case rest == "" && next >= len(words) && silent:
			set("OPTARG", letter)
			result = ":"
		case rest == "" && next >= len(words):
			s.print(2, "No arg for -"+letter+" option\n")
			unset("OPTARG")
		default:
			if rest == "" {
				rest = words[next]
				next++
			}
			set("OPTARG", rest)
			result = letter
		}
	}
	set("OPTIND", strconv.Itoa(next+1))
	set(name, result)
	if err != nil {
		s.complain(err.Error())
		return statusUsage
	}
	s.nextOptions = optionPlace{word: next + 1}
	if within {
		s.nextOptions.offset = len(words[next-1]) - len(rest)
	}
	return done
}

// optionOf looks for a letter among the letters that a script knows: takes says that a value belongs to it.
func optionOf(letters, letter string) (known, takes bool) {
	for letters != "" {
		takes = len(letters) > 1 && letters[1] == ':'
		if letters[:1] == letter {
			return true, takes
		}
		if letters = letters[1:]; takes {
			letters = letters[1:]
		}
	}
	return false, false
}

// show sets a variable of getopts.
func (s *shell) show(name, value string) error {
	switch {
	case !syntax.IsName(name):
		return &usageError{name + ": bad variable name"}
	case s.vars[name].readonly:
		return s.readonly(name)
	}
	s.setValue(name, value)
	return nil
}

// optionsFrom makes getopts go on at the word that a script has assigned to OPTIND.
func (s *shell) optionsFrom(text string) error {
	s.nextOptions = firstOption
	number := strings.TrimSpace(text)
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case s.kind == dash && (err != nil || n < 0 || n > math.MaxInt32 || number == ""):
		return &usageError{"Illegal number: " + text}
	case err == nil && n > 0 && strings.Trim(text, "0123456789") == "":
		s.nextOptions.word = int(min(n, math.MaxInt32))
	case err == nil && n > 0 && s.kind == dash:
		s.nextOptions.word = int(n)
	}
	return nil
}

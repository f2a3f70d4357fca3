// Package processes holds the utilities that are about processes and what surrounds them: env, id, kill, ps, timeout, xargs.
package processes

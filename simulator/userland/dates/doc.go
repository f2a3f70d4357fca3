// Package dates holds date, and what reads and writes points in time: strftime, strptime, and the forms that GNU date takes.
package dates

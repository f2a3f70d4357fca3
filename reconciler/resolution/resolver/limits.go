package resolver

// MaxData is how many bytes the text of an object may have. More does not fit, as base64, into what an API server and its store accept.
const MaxData = 1 << 20

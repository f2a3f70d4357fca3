package git

import "sync"

// cacheSize is how many bytes of files are kept.
const cacheSize = 16 << 20

// cacheOfFiles keeps the files of commits. What was put in first goes first.
type cacheOfFiles struct {
	mu    sync.Mutex
	files map[cacheKey][]byte
	order []cacheKey
	size  int
}

type cacheKey struct{ url, commit, path string }

func (c *cacheOfFiles) get(url, commit, path string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, ok := c.files[cacheKey{url, commit, path}]
	return data, ok
}

func (c *cacheOfFiles) put(url, commit, path string, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{url, commit, path}
	if _, known := c.files[key]; known {
		return
	}
	if c.files == nil {
		c.files = map[cacheKey][]byte{}
	}
	c.files[key] = data
	c.order = append(c.order, key)
	c.size += key.size(data)
	for c.size > cacheSize {
		first := c.order[0]
		c.order = c.order[1:]
		c.size -= first.size(c.files[first])
		delete(c.files, first)
	}
}

// size is what a file weighs in the cache; the names are the user's, and may be long.
func (k cacheKey) size(data []byte) int {
	return len(data) + len(k.url) + len(k.commit) + len(k.path) + 64
}

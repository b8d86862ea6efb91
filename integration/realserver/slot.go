package realserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

const (
	// The slots are below the ports for outgoing connections (32768 and up on Linux): such a
	// connection could take the port of a server before its restart.
	firstPort = 20000
	slotPorts = 16
	slots     = 64
)

// slot is a range of free ports and an empty folder, for one running server. Among all
// processes of this user, only one at a time can hold it.
type slot struct {
	port   int // first of slotPorts ports
	folder string
	lock   *os.File
}

// takeSlot returns a free slot at the port first or above. The caller must release it. Files
// of an earlier process in its folder are removed.
func takeSlot(cache string, first int) (*slot, error) {
	parent := filepath.Join(cache, "run")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}

	for i := range slots {
		port := first + i*slotPorts
		s := &slot{port: port, folder: filepath.Join(parent, strconv.Itoa(port))}
		var err error
		if s.lock, err = tryLock(s.folder + ".lock"); err != nil {
			return nil, err
		}
		if s.lock == nil {
			continue
		}

		if !portsFree(port) {
			s.lock.Close()
			continue
		}
		if err := errors.Join(os.RemoveAll(s.folder), os.Mkdir(s.folder, 0o755)); err != nil {
			s.lock.Close()
			return nil, err
		}
		return s, nil
	}
	return nil, fmt.Errorf("no free ports among the %d from %d", slots*slotPorts, first)
}

// release removes the folder and frees the slot.
func (s *slot) release() error {
	return errors.Join(os.RemoveAll(s.folder), s.lock.Close())
}

// address returns the n-th port of the slot on the loopback interface.
func (s *slot) address(n int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port+n))
}

func portsFree(first int) bool {
	for port := first; port < first+slotPorts; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

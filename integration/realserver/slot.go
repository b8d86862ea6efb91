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
	// Below the ports that systems take for outgoing connections (32768 and up on
	// Linux), so that none of those gets in the way of a server that is started
	// again.
	firstPort = 20000
	slotPorts = 16
	slots     = 64
)

// slot is a range of free ports and an empty folder that one running server has
// to itself, among all processes of this user.
type slot struct {
	port   int // the first of slotPorts
	folder string
	lock   *os.File
}

// takeSlot returns a free slot from the port first on, to be given back. Whatever
// a process that died left in its folder is gone.
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

// giveBack removes the folder and lets others have the slot.
func (s *slot) giveBack() error {
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

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkpoint says how many documents of the input are in the collection.
//
// Only whoever read the answers knows that. The server's count of rows leaves out
// those that are not flushed, counts those twice that a client sent again, and
// shrinks by deletes, so that documents would be lost or doubled by going on from
// it; and the newest key is found only in a collection that is loaded.
type checkpoint struct {
	CollectionID int64  `json:"collection_id"` // another one with the same name has another
	Rows         int64  `json:"rows"`
	Digest       []byte `json:"digest,omitempty"` // of the documents that these are
}

// loadCheckpoint returns the zero checkpoint if there is no file.
func loadCheckpoint(file string) (checkpoint, error) {
	var c checkpoint
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("checkpoint %s: %w", file, err)
	}
	return c, nil
}

// save replaces the file as a whole, so that a crash leaves the old or the new one.
func (c checkpoint) save(file string) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkpoint is the number of documents of the input in the collection.
//
// Only the client knows it, from the responses to Insert. The server's count of rows leaves
// out rows before their flush, counts a batch twice after a lost response, and shrinks by
// deletes: a start from it would lose or double documents. The newest key can only be
// searched in a loaded collection.
type checkpoint struct {
	CollectionID int64  `json:"collection_id"` // differs for a new collection of the same name
	Rows         int64  `json:"rows"`
	Digest       []byte `json:"digest,omitempty"` // hash over these documents
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

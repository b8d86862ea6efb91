package fakeserver

import "github.com/milvuswait/milvuswait/fake"

// jobs holds imports or compactions, by ID. They belong to the server, and outlive their
// collections.
type jobs map[int64]*job

// job is an import or a compaction.
type job struct {
	c         *collection // without a name for a job made by Set
	partition string
	script    *playing
}

// set gives the job with the ID a script, or removes it for a nil script.
func (j jobs) set(id int64, script fake.Script) {
	if script == nil {
		delete(j, id)
		return
	}
	j[id] = &job{c: new(collection), script: begin(script)}
}

// start adds a job, and returns its ID. The caller must hold s.state.
func (s *Server) start(in jobs, j *job) int64 {
	id := s.id()
	for in[id] != nil { // made by Set
		id = s.id()
	}
	in[id] = j
	return id
}

// askJob takes the turn of a job. For an unknown one it returns an empty question and nil.
func (s *Server) askJob(in jobs, id int64) (question, *job) {
	s.state.Lock()
	defer s.state.Unlock()
	j := in[id]
	if j == nil {
		return question{}, nil
	}

	q := question{c: j.c}
	q.turn(j.script, next)
	return q, j
}

package child_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/child"
)

// parentVariable marks the process that starts a child and waits for it.
const parentVariable = "CHILD_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		p, err := child.Start(exec.Command("sleep", "1000"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		<-p.Exited()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestProcess_ParentKilled_IsKilled(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"=1")
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	pid := readPID(t, out)
	require.True(t, alive(pid))

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()

	require.Eventually(t, func() bool { return !alive(pid) }, 10*time.Second, 10*time.Millisecond)
}

func TestKill_ReachesChildren(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p, err := child.Start(cmd)
	require.NoError(t, err)
	grandchild := readPID(t, out)
	require.True(t, alive(grandchild))

	require.NoError(t, p.Kill())

	require.False(t, alive(p.PID()))
	require.Eventually(t, func() bool { return !alive(grandchild) }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, p.Kill(), "once more")
}

func TestWait_EndedProgram_LeavesNoChildren(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; read go; exit 3")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p, err := child.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	grandchild := readPID(t, out)
	t.Cleanup(func() { _ = syscall.Kill(grandchild, syscall.SIGKILL) })
	require.True(t, alive(grandchild))

	_, err = in.Write([]byte("\n"))
	require.NoError(t, err)

	require.ErrorContains(t, p.Wait(), "exit status 3")
	require.Eventually(t, func() bool { return !alive(grandchild) }, 10*time.Second, 10*time.Millisecond)
}

func TestFreeze_StopsEveryProcess(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 1000 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p, err := child.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })

	pids := []int{p.PID(), readPID(t, out)}
	states := func() (states string) {
		for _, pid := range pids {
			states += state(pid)
		}
		return states
	}
	become := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return states() == want }, 10*time.Second, time.Millisecond)
	}

	become("SS")

	require.NoError(t, p.Freeze())
	become("TT")
	require.NoError(t, p.Thaw())
	become("SS")
	require.NoError(t, p.Freeze())
	become("TT")
	require.NoError(t, p.Kill())
	become("")

	require.ErrorIs(t, p.Freeze(), os.ErrProcessDone)
	require.ErrorIs(t, p.Thaw(), os.ErrProcessDone)
	require.ErrorContains(t, p.Wait(), "killed")
}

// TestFreeze_Returned_NothingRuns freezes two busy loops 100 times. The kernel stops them with a
// delay, and Freeze waits for it.
func TestFreeze_Returned_NothingRuns(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while :; do :; done & echo $!; while :; do :; done")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	p, err := child.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	spins := readPID(t, out)

	for range 100 {
		require.NoError(t, p.Freeze())
		require.Equal(t, "TT", state(p.PID())+state(spins))
		require.NoError(t, p.Thaw())
	}
}

func TestStartFails(t *testing.T) {
	_, err := child.Start(exec.Command("/nowhere/to/be/found"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// readPID reads the first line of a program's output, which is a process id.
func readPID(t *testing.T, from interface{ Read([]byte) (int, error) }) int {
	t.Helper()
	line, err := bufio.NewReader(from).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	return pid
}

// alive reports whether the process exists and has not ended.
func alive(pid int) bool { return state(pid) != "" }

// state returns the state of a process from the kernel, for example S for sleeping. It is ""
// for a process that has ended, zombies included.
func state(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.TrimPrefix(state[:1], "Z")
}

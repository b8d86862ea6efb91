package realserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The ports of a slot, counted from its first.
const (
	servicePort = iota // for clients
	metricsPort
	etcdClientPort
	etcdPeerPort
	firstInnerPort // first port of the coordinators and nodes
)

// innerPorts are the settings for all other ports of a standalone server.
var innerPorts = []string{
	"PROXY_INTERNALPORT", "ROOTCOORD_PORT", "QUERYCOORD_PORT", "QUERYNODE_PORT",
	"INDEXCOORD_PORT", "INDEXNODE_PORT", "DATACOORD_PORT", "DATANODE_PORT",
}

// command returns the program of a server in the slot, for a release installed in folder.
func command(r Release, folder string, s *slot) (*exec.Cmd, error) {
	if r.Kind == Lite {
		cmd := exec.Command(python(folder), "-m", "milvus_lite.cmdline", "server",
			"--data-dir", storageDir(s), "--host", "127.0.0.1", "--port", fmt.Sprint(s.port+servicePort))
		cmd.Env = environment(s, "PYTHONUNBUFFERED=1")
		return cmd, nil
	}

	// The package's milvus-server is not used. It keeps a process between this one and the
	// server, takes another port if the requested one is in use, and leaves the embedded
	// etcd on its two default ports, so that a second server cannot start.
	etcd := filepath.Join(s.folder, "etcd.yaml")
	if err := os.WriteFile(etcd, []byte(etcdConfig(s)), 0o644); err != nil {
		return nil, err
	}

	cmd := exec.Command(filepath.Join(folder, "bin", "milvus"), "run", "standalone", "-alias", alias(s))
	settings := []string{
		"DEPLOY_MODE=STANDALONE",
		"LD_LIBRARY_PATH=" + filepath.Join(folder, "bin"),
		"MILVUSCONF=" + filepath.Join(folder, "configs"),
		"METRICS_PORT=" + fmt.Sprint(s.port+metricsPort),
		// The following variables override the settings of the same name in milvus.yaml.
		"PROXY_PORT=" + fmt.Sprint(s.port+servicePort),
		"ETCD_CONFIG_PATH=" + etcd,
		"ETCD_ENDPOINTS=" + s.address(etcdClientPort),
		"ETCD_DATA_DIR=" + filepath.Join(s.folder, "etcd"),
		"ETCD_LOG_PATH=" + filepath.Join(s.folder, "etcd.log"),
		"LOCALSTORAGE_PATH=" + storageDir(s),
		"ROCKSMQ_PATH=" + filepath.Join(s.folder, "rocksmq"),
		"LOG_FILE_ROOTPATH=" + filepath.Join(s.folder, "logs"),
		"LOG_LEVEL=info",
		// An automatic compaction makes a complete index incomplete again, at any time.
		"DATACOORD_COMPACTION_ENABLEAUTOCOMPACTION=false",
	}
	for i, name := range innerPorts {
		component, _, _ := strings.Cut(name, "_")
		// The components connect to each other at these addresses. Except for etcd, 2.2.16
		// and 2.3.5 listen on every interface: no setting restricts them.
		settings = append(settings, component+"_IP=127.0.0.1", fmt.Sprintf("%s=%d", name, s.port+firstInnerPort+i))
	}

	cmd.Env = environment(s, settings...)
	return cmd, nil
}

// storageDir is the folder where a server keeps its data.
func storageDir(s *slot) string { return filepath.Join(s.folder, "data") }

// environment returns the settings, without the variables of this process: the server might
// take them for settings.
func environment(s *slot, settings ...string) []string {
	return append(settings, "PATH="+os.Getenv("PATH"), "HOME="+s.folder, "TMPDIR="+s.folder)
}

func etcdConfig(s *slot) string {
	client, peer := "http://"+s.address(etcdClientPort), "http://"+s.address(etcdPeerPort)
	return fmt.Sprintf(`listen-client-urls: %[1]s
advertise-client-urls: %[1]s
listen-peer-urls: %[2]s
initial-advertise-peer-urls: %[2]s
initial-cluster: default=%[2]s
`, client, peer)
}

// alias makes the name of the server's process file unique. Two servers with the same file
// cannot run at once.
func alias(s *slot) string { return fmt.Sprintf("milvuswait-%d", s.port) }

// removeTraces removes the files that a killed standalone server leaves outside its folder.
// No setting moves them.
func removeTraces(s *slot, pid int) {
	for _, dir := range []string{"/run/milvus", "/tmp/milvus"} {
		os.Remove(filepath.Join(dir, "standalone-"+alias(s)+".pid"))
	}
	os.Remove(fmt.Sprintf("/tmp/milvus/server_id_%d", pid))
}

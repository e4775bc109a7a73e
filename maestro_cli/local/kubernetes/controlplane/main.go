// Command maestro-kubernetes is a Kubernetes control plane in one file: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler, each as a subcommand (or as the name it is called by).
//
// Each runs as a process of its own, because their feature gates and metric registries are global to a
// process, and because what is rehearsed with them includes killing one of them.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
	etcdversion "go.etcd.io/etcd/api/v3/version"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

const usageExitCode = 2

// sources is the digest of the files this was built from; the linker sets it.
var sources = "unknown"

var commands = map[string]func() *cobra.Command{
	"etcd":                    etcdCommand,
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
}

func main() {
	os.Exit(run(os.Args))
}

func run(words []string) int {
	name, arguments := filepath.Base(words[0]), words[1:]
	if _, known := commands[name]; !known {
		if len(arguments) == 0 {
			usage(os.Stderr)
			return usageExitCode
		}
		name, arguments = arguments[0], arguments[1:]
	}
	switch name {
	case "version", "--version":
		return printVersion()
	case "help", "--help", "-h":
		usage(os.Stdout)
		return 0
	}
	build, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "maestro-kubernetes: there is no command %q\n", name)
		usage(os.Stderr)
		return usageExitCode
	}
	command := build()
	command.SetArgs(arguments)
	return cli.Run(command)
}

func usage(to io.Writer) {
	fmt.Fprint(to, `usage: maestro-kubernetes COMMAND [FLAGS]

commands:
  etcd                      the store, one member
  kube-apiserver            the API
  kube-controller-manager   the controllers
  kube-scheduler            binds pods to nodes
  version                   print what this was built from, as JSON

Each command has --help. Called by the name of a command, it is that command.
`)
}

// printVersion writes one line of JSON that tells whoever starts this whether it is what they expect.
func printVersion() int {
	err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"kubernetes": version.Get().GitVersion,
		"etcd":       etcdversion.Version,
		"sources":    sources,
		"go":         runtime.Version(),
		"platform":   runtime.GOOS + "/" + runtime.GOARCH,
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "maestro-kubernetes: version: %v\n", err)
		return 1
	}
	return 0
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
)

// notListening stands for the peers that a single member does not have; nothing is bound to it.
const notListening = "http://127.0.0.1:1"

type etcdOptions struct {
	dataDir, clientURL, peerURL, logLevel string
	certFile, keyFile, trustedCAFile      string
	unsafeNoFsync                         bool
}

func etcdCommand() *cobra.Command {
	options := etcdOptions{}
	command := &cobra.Command{
		Use:   "etcd",
		Short: "Run a single-member etcd until SIGTERM or SIGINT",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			return runEtcd(ctx, options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.dataDir, "data-dir", "", "folder of the data (required)")
	flags.StringVar(&options.clientURL, "client-url", "",
		"URL to serve clients on, with its port; https needs --cert-file and --key-file (required)")
	flags.StringVar(&options.peerURL, "peer-url", "", "URL to serve peers on; without it none is listened for")
	flags.StringVar(&options.certFile, "cert-file", "", "certificate of the server")
	flags.StringVar(&options.keyFile, "key-file", "", "key of that certificate")
	flags.StringVar(&options.trustedCAFile, "trusted-ca-file", "",
		"authority that client certificates must come from; with it, nobody is served without one")
	flags.BoolVar(&options.unsafeNoFsync, "unsafe-no-fsync", false,
		"do not wait for the disk: faster, and a crash of the machine can lose or corrupt everything")
	flags.StringVar(&options.logLevel, "log-level", "warn", "debug, info, warn, error, panic or fatal")
	for _, required := range []string{"data-dir", "client-url"} {
		if err := command.MarkFlagRequired(required); err != nil {
			panic(err) // a flag of that name is defined above
		}
	}
	return command
}

func runEtcd(ctx context.Context, options etcdOptions) error {
	config, err := etcdConfig(options)
	if err != nil {
		return err
	}
	member, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("etcd does not start: %w", err)
	}
	defer member.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-member.Err():
		return fmt.Errorf("etcd failed: %w", err)
	case <-member.Server.StopNotify():
		return errors.New("etcd stopped by itself")
	}
}

func etcdConfig(options etcdOptions) (*embed.Config, error) {
	client, err := parseURL("client-url", options.clientURL)
	if err != nil {
		return nil, err
	}
	if (options.certFile == "") != (options.keyFile == "") {
		return nil, errors.New("--cert-file and --key-file go together")
	}
	if (client.Scheme == "https") != (options.certFile != "") {
		return nil, errors.New("--cert-file and --key-file are for an https --client-url, and it needs them")
	}
	if options.trustedCAFile != "" && options.certFile == "" {
		return nil, errors.New("--trusted-ca-file needs --cert-file")
	}
	config := embed.NewConfig()
	config.Name = "maestro"
	config.Dir = options.dataDir
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	config.ListenPeerUrls = nil
	peerURL := notListening
	if options.peerURL != "" {
		peerURL = options.peerURL
	}
	peer, err := parseURL("peer-url", peerURL)
	if err != nil {
		return nil, err
	}
	if options.peerURL != "" {
		config.ListenPeerUrls = []url.URL{*peer}
	}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.ClientTLSInfo.CertFile = options.certFile
	config.ClientTLSInfo.KeyFile = options.keyFile
	config.ClientTLSInfo.TrustedCAFile = options.trustedCAFile
	config.ClientTLSInfo.ClientCertAuth = options.trustedCAFile != ""
	config.UnsafeNoFsync = options.unsafeNoFsync
	config.LogLevel = options.logLevel
	return config, nil
}

func parseURL(flag, text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Port() == "" {
		return nil, fmt.Errorf("--%s: %q is not http://HOST:PORT or https://HOST:PORT", flag, text)
	}
	return parsed, nil
}

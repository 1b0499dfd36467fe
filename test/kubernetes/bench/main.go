// podbench: the two sides that the Kubernetes executor is measured between, with nothing but net/http.
//
//	podbench kubelet -server URL -token T -ca FILE
//	podbench client  -server URL -token T -ca FILE -namespace NS -pod FILE -count N -parallel P
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// api is an API server, and who we are there.
type api struct {
	server, token string
	http          *http.Client
}

type metadata struct {
	Name              string  `json:"name"`
	Namespace         string  `json:"namespace"`
	ResourceVersion   string  `json:"resourceVersion"`
	DeletionTimestamp *string `json:"deletionTimestamp"`
}

type container struct {
	Name    string   `json:"name"`
	Image   string   `json:"image"`
	Command []string `json:"command"`
}

type containerStatus struct {
	Name  string `json:"name"`
	State struct {
		Terminated *struct {
			ExitCode int `json:"exitCode"`
		} `json:"terminated"`
	} `json:"state"`
}

type pod struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		Containers     []container `json:"containers"`
		InitContainers []container `json:"initContainers"`
	} `json:"spec"`
	Status struct {
		Phase             string            `json:"phase"`
		ContainerStatuses []containerStatus `json:"containerStatuses"`
	} `json:"status"`
}

type event struct {
	Type   string `json:"type"`
	Object pod    `json:"object"`
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "podbench:", err)
		os.Exit(1)
	}
}

func (a *api) call(method, path, kind string, body []byte, out any) error {
	request, err := http.NewRequest(method, a.server+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", kind)
	response, err := a.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, response.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// watch lists the pods below a path, then calls seen for each change until the context is done; ready is closed when
// nothing that happens from then on is missed. A watch that the server ends goes on from where it was.
func (a *api) watch(ctx context.Context, path string, ready chan<- struct{}, seen func(*event)) error {
	version := ""
	for ctx.Err() == nil {
		if version == "" {
			var list struct {
				Metadata metadata `json:"metadata"`
				Items    []pod    `json:"items"`
			}
			if err := a.call("GET", path, "application/json", nil, &list); err != nil {
				return err
			}
			version = list.Metadata.ResourceVersion
			for _, p := range list.Items {
				seen(&event{"ADDED", p})
			}
		}
		next, err := a.watchFrom(ctx, path, version, &ready, seen)
		if err != nil && ctx.Err() == nil {
			return err
		}
		version = next
	}
	return nil
}

// watchFrom gives the version to go on from when the watch has ended; none when a new list is needed.
func (a *api) watchFrom(ctx context.Context, path, version string, ready *chan<- struct{}, seen func(*event)) (string, error) {
	url := a.server + path + "?watch=true&allowWatchBookmarks=true&resourceVersion=" + version
	request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := a.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusGone {
		return "", nil
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("watch: %s", response.Status)
	}
	if *ready != nil {
		close(*ready)
		*ready = nil
	}
	for decoder := json.NewDecoder(response.Body); ; {
		var e event
		if err := decoder.Decode(&e); err != nil {
			return version, nil
		}
		if e.Type == "ERROR" {
			return "", nil
		}
		version = e.Object.Metadata.ResourceVersion
		if e.Type != "BOOKMARK" {
			seen(&e)
		}
	}
}

func main() {
	if len(os.Args) < 2 {
		check(fmt.Errorf("want kubelet or client"))
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	server := flags.String("server", "", "the API server")
	token := flags.String("token", "", "the bearer token")
	ca := flags.String("ca", "", "the authority, PEM")
	namespace := flags.String("namespace", "default", "where the pods are made")
	file := flags.String("pod", "", "the pod to be made, JSON; its name is put before a number")
	count := flags.Int("count", 100, "how many")
	parallel := flags.Int("parallel", 20, "how many at a time")
	check(flags.Parse(os.Args[2:]))
	transport := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 100}
	if *ca != "" {
		text, err := os.ReadFile(*ca)
		check(err)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(text)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	a := &api{*server, *token, &http.Client{Transport: transport}}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch os.Args[1] {
	case "kubelet":
		check(runKubelet(ctx, a))
	case "client":
		text, err := os.ReadFile(*file)
		check(err)
		check(runClient(ctx, a, *namespace, text, *count, *parallel))
	default:
		check(fmt.Errorf("want kubelet or client, not %s", os.Args[1]))
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
)

// runClient makes `count` copies of a pod, `parallel` at a time, and waits for the end of each as one watch tells it
// (state.terminated of all containers), then deletes it. One that has finalizers is freed of them first. The least that
// any executor has to do.
func runClient(ctx context.Context, a *api, namespace string, text []byte, count, parallel int) error {
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		return err
	}
	meta := template["metadata"].(map[string]any)
	prefix := fmt.Sprint(meta["name"])
	finalizers, _ := meta["finalizers"].([]any)
	path := "/api/v1/namespaces/" + namespace + "/pods"

	var lock sync.Mutex
	waiting := map[string]chan struct{}{}
	ready, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		failed <- a.watch(ctx, path, ready, func(e *event) {
			for _, s := range e.Object.Status.ContainerStatuses {
				if s.State.Terminated == nil {
					return
				}
			}
			if len(e.Object.Status.ContainerStatuses) == 0 {
				return
			}
			lock.Lock()
			defer lock.Unlock()
			if ended, ok := waiting[e.Object.Metadata.Name]; ok {
				close(ended)
				delete(waiting, e.Object.Metadata.Name)
			}
		})
	}()
	select {
	case <-ready:
	case err := <-failed:
		return err
	}

	numbers := make(chan int, count)
	for i := range count {
		numbers <- i
	}
	close(numbers)
	var all sync.WaitGroup
	for range parallel {
		all.Go(func() {
			for i := range numbers {
				name := fmt.Sprintf("%s-%d", prefix, i)
				ended := make(chan struct{})
				lock.Lock()
				waiting[name] = ended
				// One template for all: its name is set and written under the lock.
				meta["name"] = name
				body, err := json.Marshal(template)
				lock.Unlock()
				check(err)
				check(a.call("POST", path, "application/json", body, nil))
				<-ended
				if len(finalizers) > 0 {
					free := []byte(`{"metadata":{"finalizers":null}}`)
					check(a.call("PATCH", path+"/"+name, "application/merge-patch+json", free, nil))
				}
				check(a.call("DELETE", path+"/"+name, "application/json", nil, nil))
			}
		})
	}
	all.Wait()
	return nil
}

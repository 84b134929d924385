// Asks a service what a kernel makes of an object, by HTTP and the standard library alone: go run . OBJECT
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type answer struct {
	Digest   string
	Programs []struct {
		Name      string
		Accepted  bool
		Errno     int
		Failure   struct{ Message, Source string }
		Functions []struct {
			Name string
			Code []byte // encoding/json reads base64
		}
	}
}

type problem struct{ Code, Detail, Field string }

func compile(server string, object []byte) (*answer, error) {
	request, err := http.NewRequest("POST", server+"/compile?logLevel=1", bytes.NewReader(object))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	if key := os.Getenv("BPF_JITD_API_KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	client := http.Client{Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		var refusal problem
		_ = json.Unmarshal(body, &refusal)
		return nil, fmt.Errorf("%s: %s: %s", response.Status, refusal.Code, refusal.Detail)
	}
	var result answer
	return &result, json.Unmarshal(body, &result)
}

func main() {
	server := os.Getenv("BPF_JITD_SERVER")
	if server == "" {
		server = "http://localhost:8080"
	}
	object, err := os.ReadFile(os.Args[1])
	if err == nil {
		var result *answer
		if result, err = compile(server, object); err == nil {
			os.Exit(show(result))
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

func show(result *answer) int {
	status := 0
	for _, program := range result.Programs {
		if program.Accepted {
			fmt.Printf("%s: accepted, %d functions\n", program.Name, len(program.Functions))
		} else {
			fmt.Printf("%s: rejected, errno %d: %s\n", program.Name, program.Errno, program.Failure.Message)
			status = 1
		}
	}
	return status
}

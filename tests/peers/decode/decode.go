// Package decode decodes manifests strictly by the Go types of the API that each document names: a field that its type
// does not have is refused.
package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Types makes an empty object of each API version and kind, which are named with a blank between them.
type Types map[string]func() any

// Main reads YAML documents from stdin; it prints a line a document, and exits with 1 at the first refusal.
func Main(types Types) {
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		refuse("stdin", err)
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for number := 1; ; number++ {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			refuse(fmt.Sprint("document ", number), err)
		}
		var named metav1.PartialObjectMetadata
		if err := yaml.Unmarshal(document, &named); err != nil {
			refuse(fmt.Sprint("document ", number), err)
		}
		what := named.APIVersion + " " + named.Kind
		made, known := types[what]
		if !known {
			refuse(what, errors.New("no type is known for it"))
		}
		if err := yaml.UnmarshalStrict(document, made()); err != nil {
			refuse(what+" "+named.Name, err)
		}
		fmt.Println(what, named.Name)
	}
}

func refuse(what string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
	os.Exit(1)
}

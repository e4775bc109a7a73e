// Decodes manifests strictly by the Go types of the API that each document names: a field that its type does not
// have is refused. Reads YAML documents from stdin; prints a line a document, and exits with 1 at the first refusal.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	awsv1 "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	karpenterv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/yaml"
)

var types = map[string]func() any{
	"karpenter.sh/v1 NodePool":                    func() any { return &karpenterv1.NodePool{} },
	"karpenter.k8s.aws/v1 EC2NodeClass":           func() any { return &awsv1.EC2NodeClass{} },
	"autoscaling.k8s.io/v1 VerticalPodAutoscaler": func() any { return &vpav1.VerticalPodAutoscaler{} },
	"policy/v1 PodDisruptionBudget":               func() any { return &policyv1.PodDisruptionBudget{} },
	"apps/v1 Deployment":                          func() any { return &appsv1.Deployment{} },
	"batch/v1 Job":                                func() any { return &batchv1.Job{} },
	"batch/v1 CronJob":                            func() any { return &batchv1.CronJob{} },
	"scheduling.k8s.io/v1 PriorityClass":          func() any { return &schedulingv1.PriorityClass{} },
	"autoscaling/v2 HorizontalPodAutoscaler":      func() any { return &autoscalingv2.HorizontalPodAutoscaler{} },
}

func main() {
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

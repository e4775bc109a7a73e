// Decodes manifests strictly by the Go types of the API that each document names.
package main

import (
	awsv1 "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	vpav1 "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"maestro.dev/peers/decode"
	karpenterv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

var types = decode.Types{
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
	decode.Main(types)
}

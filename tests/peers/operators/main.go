// Decodes manifests strictly by the Go types of operators whose workloads the cost gate reads. With `names` it prints the
// annotations and numbers of theirs that the gate knows by heart.
package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	rolloutsv1alpha1 "github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringv1alpha1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	rayv1 "github.com/ray-project/kuberay/ray-operator/apis/ray/v1"
	"knative.dev/serving/pkg/apis/autoscaling"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"maestro.dev/peers/decode"
)

var types = decode.Types{
	"argoproj.io/v1alpha1 Rollout":                      func() any { return &rolloutsv1alpha1.Rollout{} },
	"keda.sh/v1alpha1 ScaledJob":                        func() any { return &kedav1alpha1.ScaledJob{} },
	"keda.sh/v1alpha1 ScaledObject":                     func() any { return &kedav1alpha1.ScaledObject{} },
	"keda.sh/v1alpha1 TriggerAuthentication":            func() any { return &kedav1alpha1.TriggerAuthentication{} },
	"keda.sh/v1alpha1 ClusterTriggerAuthentication":     func() any { return &kedav1alpha1.ClusterTriggerAuthentication{} },
	"kubeflow.org/v1 MPIJob":                            func() any { return &kubeflowv1.MPIJob{} },
	"kubeflow.org/v1 MXJob":                             func() any { return &kubeflowv1.MXJob{} },
	"kubeflow.org/v1 PaddleJob":                         func() any { return &kubeflowv1.PaddleJob{} },
	"kubeflow.org/v1 PyTorchJob":                        func() any { return &kubeflowv1.PyTorchJob{} },
	"kubeflow.org/v1 TFJob":                             func() any { return &kubeflowv1.TFJob{} },
	"kubeflow.org/v1 XGBoostJob":                        func() any { return &kubeflowv1.XGBoostJob{} },
	"monitoring.coreos.com/v1 PodMonitor":               func() any { return &monitoringv1.PodMonitor{} },
	"monitoring.coreos.com/v1 Probe":                    func() any { return &monitoringv1.Probe{} },
	"monitoring.coreos.com/v1 PrometheusRule":           func() any { return &monitoringv1.PrometheusRule{} },
	"monitoring.coreos.com/v1 ServiceMonitor":           func() any { return &monitoringv1.ServiceMonitor{} },
	"monitoring.coreos.com/v1alpha1 AlertmanagerConfig": func() any { return &monitoringv1alpha1.AlertmanagerConfig{} },
	"monitoring.coreos.com/v1alpha1 ScrapeConfig":       func() any { return &monitoringv1alpha1.ScrapeConfig{} },
	"ray.io/v1 RayCluster":                              func() any { return &rayv1.RayCluster{} },
	"ray.io/v1 RayJob":                                  func() any { return &rayv1.RayJob{} },
	"ray.io/v1 RayService":                              func() any { return &rayv1.RayService{} },
	"serving.knative.dev/v1 Service":                    func() any { return &servingv1.Service{} },
}

// Kinds that the gate takes for nothing, by an object of each.
var free = map[string]any{
	"ClusterTriggerAuthentication.keda.sh":     kedav1alpha1.ClusterTriggerAuthentication{},
	"TriggerAuthentication.keda.sh":            kedav1alpha1.TriggerAuthentication{},
	"AlertmanagerConfig.monitoring.coreos.com": monitoringv1alpha1.AlertmanagerConfig{},
	"PodMonitor.monitoring.coreos.com":         monitoringv1.PodMonitor{},
	"Probe.monitoring.coreos.com":              monitoringv1.Probe{},
	"PrometheusRule.monitoring.coreos.com":     monitoringv1.PrometheusRule{},
	"ScrapeConfig.monitoring.coreos.com":       monitoringv1alpha1.ScrapeConfig{},
	"ServiceMonitor.monitoring.coreos.com":     monitoringv1.ServiceMonitor{},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "names" {
		names()
		return
	}
	decode.Main(types)
}

// A line a name: what it is, a tab, the name.
func names() {
	object, job := kedav1alpha1.ScaledObject{}, kedav1alpha1.ScaledJob{}
	for _, key := range autoscaling.MinScaleAnnotation {
		fmt.Printf("knative min\t%s\n", key)
	}
	for _, key := range autoscaling.MaxScaleAnnotation {
		fmt.Printf("knative max\t%s\n", key)
	}
	fmt.Printf("keda paused\t%s\n", kedav1alpha1.PausedAnnotation)
	fmt.Printf("keda paused at\t%s\n", kedav1alpha1.PausedReplicasAnnotation)
	fmt.Printf("keda most replicas\t%d\n", object.GetHPAMaxReplicas())
	fmt.Printf("keda most jobs\t%d\n", job.MaxReplicaCount())
	for kind, made := range free {
		spec, _ := reflect.TypeOf(made).FieldByName("Spec")
		for field := range spec.Type.NumField() {
			name, _, _ := strings.Cut(spec.Type.Field(field).Tag.Get("json"), ",")
			fmt.Printf("kind %s\t%s\n", kind, name)
		}
	}
}

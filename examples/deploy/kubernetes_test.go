package main

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// image is the image in every file.
const image = "registry.example.com/milvus-wait:0.1.0"

// decode reads the file into a type of the Kubernetes API, and renders a template of
// a chart first. As in the API server's strict mode, unknown fields, a wrong case and
// duplicate fields are errors.
func decode(t *testing.T, file string, to any) {
	t.Helper()
	chart, err := template.New(file).Option("missingkey=error").ParseFiles(file)
	require.NoError(t, err)
	var rendered strings.Builder
	require.NoError(t, chart.Execute(&rendered, map[string]any{"Release": map[string]any{"Name": "search"}}))
	document, err := yaml.YAMLToJSONStrict([]byte(rendered.String()))
	require.NoError(t, err)
	unknown, err := json.UnmarshalStrict(document, to)
	require.NoError(t, err)
	require.Empty(t, unknown)
}

func deployment(t *testing.T) (d appsv1.Deployment) {
	t.Helper()
	decode(t, "initcontainer.yaml", &d)
	return d
}

func hook(t *testing.T) (job batchv1.Job) {
	t.Helper()
	decode(t, "helm-hook.yaml", &job)
	return job
}

// pods returns the Pods of both files.
func pods(t *testing.T) map[string]corev1.PodSpec {
	t.Helper()
	return map[string]corev1.PodSpec{
		"initcontainer.yaml": deployment(t).Spec.Template.Spec,
		"helm-hook.yaml":     hook(t).Spec.Template.Spec,
	}
}

// waits returns the containers of milvus-wait in the order of their start.
func waits(pod corev1.PodSpec) []corev1.Container {
	return slices.DeleteFunc(slices.Concat(pod.InitContainers, pod.Containers), func(c corev1.Container) bool {
		return c.Image != image
	})
}

// option returns the value of a flag of the container, or "" if it is not set.
func option(c corev1.Container, flag string) string {
	for _, arg := range c.Args {
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value
		}
	}
	return ""
}

// waited returns the maximum total time of the waits of a Pod.
func waited(t *testing.T, pod corev1.PodSpec) (sum time.Duration) {
	t.Helper()
	for _, c := range waits(pod) {
		d, err := time.ParseDuration(option(c, "--timeout"))
		require.NoError(t, err)
		require.Positive(t, d)
		sum += d
	}
	return sum
}

func TestPods(t *testing.T) {
	// New Pods of a service wait for the load only: deletes and inserts must not block them.
	after := map[string]string{"initcontainer.yaml": "load", "helm-hook.yaml": "all"}
	for file, pod := range pods(t) {
		t.Run(file, func(t *testing.T) {
			require.Equal(t, []string{"ready", after[file]}, []string{waits(pod)[0].Args[0], waits(pod)[1].Args[0]})
			require.Len(t, waits(pod), 2)

			require.False(t, *pod.EnableServiceLinks, "MILVUS_PORT would be set")
			require.False(t, *pod.AutomountServiceAccountToken)
			require.True(t, *pod.SecurityContext.RunAsNonRoot)
			require.EqualValues(t, 65532, *pod.SecurityContext.RunAsUser, "the user of the image")
			require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)

			for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
				locked(t, c)
			}
		})
	}
}

func locked(t *testing.T, c corev1.Container) {
	t.Helper()
	require.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
	require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
	require.Empty(t, c.SecurityContext.Capabilities.Add)
	require.Regexp(t, `:\d+\.\d+\.\d+$`, c.Image, "a tag that stays what it is")
	require.True(t, c.Resources.Requests.Cpu().Sign() > 0 && c.Resources.Requests.Memory().Sign() > 0)
	require.GreaterOrEqual(t, c.Resources.Limits.Memory().Cmp(*c.Resources.Requests.Memory()), 0)
}

// Secrets are in files, since other users can read flags and environments.
func TestSecretsAreFiles(t *testing.T) {
	for file, pod := range pods(t) {
		t.Run(file, func(t *testing.T) {
			require.Len(t, pod.Volumes, 1)
			volume := pod.Volumes[0]
			require.NotZero(t, *pod.SecurityContext.FSGroup)
			require.EqualValues(t, 0o440, *volume.Secret.DefaultMode, "the group of the Pod alone")

			for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
				require.Empty(t, c.EnvFrom)
				for _, env := range c.Env {
					require.Equal(t, "MILVUS_URI", env.Name)
					require.Nil(t, env.ValueFrom)
					require.Regexp(t, "^https://[^@]+$", env.Value, "encrypted, and without a password")
				}
				if !slices.ContainsFunc(waits(pod), func(w corev1.Container) bool { return w.Name == c.Name }) {
					require.Empty(t, c.VolumeMounts)
					continue
				}

				require.Len(t, c.VolumeMounts, 1)
				mount := c.VolumeMounts[0]
				require.Equal(t, volume.Name, mount.Name)
				require.True(t, mount.ReadOnly)
				require.Equal(t, path.Join(mount.MountPath, "token"), option(c, "--token-file"))
				require.Equal(t, path.Join(mount.MountPath, "ca.crt"), option(c, "--tls-ca"))
				require.NotContains(t, c.Args, "--insecure-credentials")
			}
		})
	}

	source, err := os.ReadFile("initcontainer.yaml")
	require.NoError(t, err)
	require.Contains(t, string(source), "kubectl create secret generic "+
		pods(t)["initcontainer.yaml"].Volumes[0].Secret.SecretName+" --from-file=token --from-file=ca.crt")
}

func TestDeployment(t *testing.T) {
	d := deployment(t)
	require.Equal(t, "apps/v1/Deployment", d.APIVersion+"/"+d.Kind)
	require.Equal(t, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels)
	require.Zero(t, d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue(), "the old Pods serve until then")
	require.Positive(t, d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue())

	require.Len(t, d.Spec.Template.Spec.InitContainers, 2)
	for _, c := range d.Spec.Template.Spec.InitContainers {
		require.Nil(t, c.RestartPolicy, "a sidecar is not waited for")
	}
	require.Greater(t, time.Duration(*d.Spec.ProgressDeadlineSeconds)*time.Second, waited(t, d.Spec.Template.Spec))
}

func TestHook(t *testing.T) {
	job := hook(t)
	require.Equal(t, "batch/v1/Job", job.APIVersion+"/"+job.Kind)
	require.Equal(t, "search-milvus-wait", job.Name)
	require.Equal(t, map[string]string{
		"helm.sh/hook":               "post-install,post-upgrade",
		"helm.sh/hook-weight":        "10",
		"helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
	}, job.Annotations)
	require.Equal(t, corev1.RestartPolicyNever, job.Spec.Template.Spec.RestartPolicy)

	tries := time.Duration(*job.Spec.BackoffLimit + 1)
	deadline := time.Duration(*job.Spec.ActiveDeadlineSeconds) * time.Second
	require.Greater(t, deadline, tries*waited(t, job.Spec.Template.Spec))

	source, err := os.ReadFile("helm-hook.yaml")
	require.NoError(t, err)
	helm, err := time.ParseDuration(regexp.MustCompile(`helm upgrade .*--timeout (\w+)`).FindStringSubmatch(string(source))[1])
	require.NoError(t, err)
	require.Greater(t, helm, deadline)
}

// TestArgoHook_IsTheHelmHook compares the Jobs, so the other tests read one of them.
func TestArgoHook_IsTheHelmHook(t *testing.T) {
	var argo batchv1.Job
	decode(t, "argocd-hook.yaml", &argo)

	require.Equal(t, hook(t).Spec, argo.Spec)
	require.Equal(t, "Job", argo.Kind)
	require.NotEmpty(t, argo.Name)
	require.Equal(t, map[string]string{
		"argocd.argoproj.io/hook":               "PostSync",
		"argocd.argoproj.io/sync-wave":          "10",
		"argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation,HookSucceeded",
	}, argo.Annotations)
}

// action returns the action of the first rule to match a failed Pod. Without a match,
// the failure counts towards backoffLimit.
func action(policy *batchv1.PodFailurePolicy, code int32, conditions ...corev1.PodConditionType) batchv1.PodFailurePolicyAction {
	for _, rule := range policy.Rules {
		for _, pattern := range rule.OnPodConditions {
			if slices.Contains(conditions, pattern.Type) && pattern.Status == corev1.ConditionTrue {
				return rule.Action
			}
		}
		if on := rule.OnExitCodes; on != nil && slices.Contains(on.Values, code) == (on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn) {
			return rule.Action
		}
	}
	return batchv1.PodFailurePolicyActionCount
}

func TestHook_ActionForEachExitCode(t *testing.T) {
	policy := hook(t).Spec.PodFailurePolicy
	tests := []struct {
		name       string
		code       int32
		conditions []corev1.PodConditionType
		action     batchv1.PodFailurePolicyAction
	}{
		{"failed", 1, nil, batchv1.PodFailurePolicyActionFailJob},
		{"usage error", 2, nil, batchv1.PodFailurePolicyActionFailJob},
		{"timed out", 124, nil, batchv1.PodFailurePolicyActionCount},
		{"ended by a signal", 143, nil, batchv1.PodFailurePolicyActionCount},
		{"killed, out of memory", 137, nil, batchv1.PodFailurePolicyActionCount},
		{"a drained node", 143, []corev1.PodConditionType{corev1.DisruptionTarget}, batchv1.PodFailurePolicyActionIgnore},
		{"a failure on a drained node", 1, []corev1.PodConditionType{corev1.DisruptionTarget}, batchv1.PodFailurePolicyActionIgnore},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.action, action(policy, tt.code, tt.conditions...))
		})
	}
}

// The API server checks these conditions in addition to the types.
func TestHookRulesAreValid(t *testing.T) {
	for _, rule := range hook(t).Spec.PodFailurePolicy.Rules {
		require.NotEqual(t, rule.OnExitCodes == nil, len(rule.OnPodConditions) == 0, "exactly one of them")
		if on := rule.OnExitCodes; on != nil {
			require.Nil(t, on.ContainerName, "the rule is for every container")
			require.Equal(t, batchv1.PodFailurePolicyOnExitCodesOpIn, on.Operator)
			require.NotEmpty(t, on.Values)
			require.IsIncreasing(t, append([]int32{0}, on.Values...))
		}
		for _, pattern := range rule.OnPodConditions {
			require.NotEmpty(t, pattern.Status)
		}
	}
}

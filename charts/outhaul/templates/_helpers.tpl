{{- define "outhaul.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "outhaul.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "outhaul.selector" -}}
app.kubernetes.io/name: {{ include "outhaul.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "outhaul.labels" -}}
{{ include "outhaul.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "outhaul.account" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "outhaul.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "outhaul.system" -}}
{{- default .Release.Namespace .Values.systemNamespace -}}
{{- end -}}

{{- define "outhaul.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "outhaul.subjects" -}}
- kind: ServiceAccount
  name: {{ include "outhaul.account" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{- /* What an application is made of, as rules: of the server and of its workers. */ -}}
{{- define "outhaul.reads" -}}
# Secrets are not in the list, so the core group is named kind by kind; in the other groups, what a
# later Kubernetes adds is read as well.
- apiGroups: [""]
  resources:
    - configmaps
    - endpoints
    - limitranges
    - persistentvolumeclaims
    - pods
    - podtemplates
    - replicationcontrollers
    - resourcequotas
    - serviceaccounts
    - services
  verbs: {{ toJson $.verbs }}
- apiGroups:
    - apps
    - autoscaling
    - batch
    - networking.k8s.io
    - policy
    - rbac.authorization.k8s.io
    - resource.k8s.io
  resources: ["*"]
  verbs: {{ toJson $.verbs }}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: {{ toJson $.verbs }}
{{- with .root.Values.rbac.readGroups }}
- apiGroups:
    {{- toYaml . | nindent 4 }}
  resources: ["*"]
  verbs: {{ toJson $.verbs }}
{{- end }}
{{- end -}}

{{- /* What is in no namespace and an export reads all the same. */ -}}
{{- define "outhaul.clusterReads" -}}
{{- if .Values.namespaces -}}
# The roles that applications of its namespaces bind.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles, clusterrolebindings]
  verbs: [get, list]
{{ end -}}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get]
# The uid of kube-system is the cluster's identity.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list]
{{- if .Values.rbac.readNodes }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [list]
{{- end }}
{{- end -}}

{{- /* Rights of the server where applications and exports are. */ -}}
{{- define "outhaul.rules" -}}
{{ include "outhaul.reads" (dict "root" . "verbs" (list "get" "list" "watch")) }}
# Its own records.
- apiGroups: [outhaul.dev]
  resources: [exports, exportschedules]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [outhaul.dev]
  resources: [exports/status, exportschedules/status]
  verbs: [get, update, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- /* Rights of its workers there. All kinds of a namespace are listed, records too. Of the status the policy
     `outhaul-worker` lets them write what is their own. */ -}}
{{- define "outhaul.workerRules" -}}
{{ include "outhaul.reads" (dict "root" . "verbs" (list "get" "list")) }}
- apiGroups: [outhaul.dev]
  resources: [exports, exportschedules]
  verbs: [get, list]
- apiGroups: [outhaul.dev]
  resources: [exports/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{- define "outhaul.worker" -}}
{{- if .Values.job.serviceAccount.create -}}
{{- default (printf "%s-worker" (include "outhaul.fullname" .)) .Values.job.serviceAccount.name -}}
{{- else -}}
{{- required "job.serviceAccount.name is needed where job.serviceAccount.create is false" .Values.job.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "outhaul.workers" -}}
- kind: ServiceAccount
  name: {{ include "outhaul.worker" . }}
  namespace: {{ include "outhaul.system" . }}
{{- end -}}

{{- /* Not those of the server's pods, whose Service would find them. */ -}}
{{- define "outhaul.workerSelector" -}}
app.kubernetes.io/name: {{ include "outhaul.name" . }}-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "outhaul.workerLabels" -}}
{{ include "outhaul.workerSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

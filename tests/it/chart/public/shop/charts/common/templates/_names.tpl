{{- define "common.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "common.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- define "common.apis.deployment" -}}
{{- $version := default .Capabilities.KubeVersion.Version .Values.kubeVersion -}}
{{- if semverCompare "<1.14-0" $version }}extensions/v1beta1{{ else }}apps/v1{{ end -}}
{{- end -}}
{{- define "common.tplvalues.render" -}}
{{- $value := typeIs "string" .value | ternary .value (.value | toYaml) }}
{{- if contains "{{" (toJson .value) }}{{ tpl $value .context }}{{ else }}{{ $value }}{{ end }}
{{- end -}}
{{- define "common.labels" -}}
{{- $default := dict "helm.sh/chart" (printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_" | trunc 63) "app.kubernetes.io/managed-by" .context.Release.Service -}}
{{- with .context.Chart.AppVersion }}{{ $_ := set $default "app.kubernetes.io/version" . }}{{ end -}}
{{ template "common.merged" (dict "values" (list .customLabels $default) "context" .context) }}
{{- end -}}
{{- define "common.merged" -}}
{{- $merged := dict -}}
{{- range .values -}}
{{- $merged = include "common.tplvalues.render" (dict "value" . "context" $.context) | fromYaml | merge $merged -}}
{{- end -}}
{{ $merged | toYaml }}
{{- end -}}
{{- define "common.pullSecrets" -}}
{{- $secrets := list }}
{{- range ((.Values.global).imagePullSecrets) }}
{{- if kindIs "map" . }}{{ $secrets = append $secrets .name }}{{ else }}{{ $secrets = append $secrets . }}{{ end }}
{{- end }}
{{- if (not (empty $secrets)) }}
imagePullSecrets:
{{- range $secrets | uniq }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

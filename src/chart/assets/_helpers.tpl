{{/* Name and version of the chart, as a label. */}}
{{- define "CHART.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." -}}
{{- end }}

{{/* Labels for the metadata of every object; never for selectors or pods. */}}
{{- define "CHART.labels" -}}
helm.sh/chart: {{ include "CHART.chart" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The image with the given key: by digest, or by tag where the digest is empty. */}}
{{- define "CHART.image" -}}
{{- $image := index .values.images .key -}}
{{- $registry := (.values.global).imageRegistry | default $image.registry | default "" | trimSuffix "/" -}}
{{- if $image.keep }}{{- $registry = $image.registry | default "" | trimSuffix "/" -}}{{- end -}}
{{- $name := printf "%s/%s" $registry $image.repository | trimPrefix "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name $image.tag -}}
{{- end -}}
{{- end }}

{{/* Variables of a container that are not in its template, by name. */}}
{{- define "CHART.extraEnv" -}}
{{- $extra := list -}}
{{- range $name, $value := .env -}}
{{- if not (or (has $name $.known) (kindIs "invalid" $value)) -}}
{{- $extra = append $extra (printf "- name: %s\n  value: %s" ($name | quote) ($value | quote)) -}}
{{- end -}}
{{- end -}}
{{- join "\n" $extra -}}
{{- end }}

{{/* Pull secrets of the parent chart and of this one, given as names or as {name: …}. */}}
{{- define "CHART.pullSecrets" -}}
{{- $secrets := list -}}
{{- range list (.Values.global).imagePullSecrets .Values.imagePullSecrets -}}
{{- range . -}}
{{- $secret := ternary . (dict "name" .) (kindIs "map" .) -}}
{{- if not (has $secret $secrets) -}}
{{- $secrets = append $secrets $secret -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $secrets -}}
{{- toYaml . -}}
{{- end -}}
{{- end }}

{{/* The data of a Secret: values given as text are encoded, binary ones are already. */}}
{{- define "CHART.secretData" -}}
{{- $data := merge (dict) (.secret.binaryData | default dict) -}}
{{- range $key, $value := .secret.data -}}
{{- if $.required -}}
{{- $_ := required (printf "secrets.%s.data.%s needs a value" $.key $key) $value -}}
{{- end -}}
{{- $data = set $data $key ($value | b64enc) -}}
{{- end -}}
{{- toYaml $data -}}
{{- end }}

{{/* Refuses what other charts take and this one cannot, with the reason. */}}
{{- define "CHART.validate" -}}
{{- $values := .Values -}}
{{- range list "nameOverride" "fullnameOverride" -}}
{{- if index $values . -}}
{{- fail (printf "%s cannot be set: the objects keep the names that the application knows them by, in selectors, addresses and configuration. Install a second release in a namespace of its own." .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Texts in quotes: toYaml does not give back all of their characters. */}}
{{- define "CHART.quoted" -}}
{{- $lines := list -}}
{{- range $key, $value := . -}}
{{- $lines = append $lines (printf "%s: %s" ($key | quote) ($value | quote)) -}}
{{- end -}}
{{- join "\n" $lines -}}
{{- end }}

{{/* Names what is deployed. */}}
{{- define "shop.image" -}}
{{- $registry := .image.registry | default "" -}}
{{- if .global }}{{ if .global.imageRegistry }}{{ $registry = .global.imageRegistry }}{{ end }}{{ end -}}
{{- $separator := ":" -}}
{{- $end := .image.tag | default .appVersion | toString -}}
{{- if .image.digest }}{{ $separator = "@" }}{{ $end = .image.digest | toString }}{{ end -}}
{{- if $registry }}{{ printf "%s/%s%s%s" $registry .image.repository $separator $end }}
{{- else }}{{ printf "%s%s%s" .image.repository $separator $end }}{{ end -}}
{{- end -}}
{{- define "shop.selector" }}
app.kubernetes.io/name: {{ include "common.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "shop.overridden" }}parent{{ end }}

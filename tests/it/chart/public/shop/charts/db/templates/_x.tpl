{{- define "shop.overridden" }}child{{ end }}

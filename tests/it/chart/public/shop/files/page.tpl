from: {{ .Values.team }}

"""A light Kubernetes-compatible HTTPS API over a table of kinds.

Invariant: no machinery knows a kind by name; what is special about one is a column of the table in
`kinds`. Whatever is lacking answers with a Status that names `maestro local up --cluster kubernetes`.
"""

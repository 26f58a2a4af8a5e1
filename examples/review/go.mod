module github.com/yotiface/yotiface/examples/review

go 1.26

require (
	github.com/stretchr/testify v1.12.1
	github.com/yotiface/yotiface v0.0.0
	go.etcd.io/bbolt v1.5.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/getyoti/yoti-go-sdk/v3 v3.9.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.45.0 // indirect
)

replace github.com/yotiface/yotiface => ../..

module github.com/yotiface/yotiface/examples/enrol

go 1.26.0

require (
	github.com/gofrs/flock v0.13.2
	github.com/schollz/progressbar/v3 v3.19.1
	github.com/stretchr/testify v1.12.1
	github.com/yotiface/yotiface v0.0.0
	golang.org/x/term v0.48.0
)

require (
	github.com/getyoti/yoti-go-sdk/v3 v3.9.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace github.com/yotiface/yotiface => ../..

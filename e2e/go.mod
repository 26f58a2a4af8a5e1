module github.com/yotiface/yotiface/e2e

go 1.26

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/stretchr/testify v1.12.1
	github.com/yotiface/yotiface v0.0.0
)

require (
	github.com/getyoti/yoti-go-sdk/v3 v3.9.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/yotiface/yotiface => ..

module github.com/yotiface/yotiface/bench

go 1.26

require (
	github.com/getyoti/yoti-go-sdk/v3 v3.9.0
	github.com/go-json-experiment/json v1.27.2
	github.com/yotiface/yotiface v0.0.0
)

replace github.com/yotiface/yotiface => ..

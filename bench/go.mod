module github.com/yotiface/yotiface/bench

go 1.26

require github.com/yotiface/yotiface v0.0.0

require (
	github.com/getyoti/yoti-go-sdk/v3 v3.9.0 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
)

replace github.com/yotiface/yotiface => ..

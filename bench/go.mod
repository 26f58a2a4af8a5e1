module github.com/yotiface/yotiface/bench

go 1.26.0

require (
	github.com/getyoti/yoti-go-sdk/v3 v3.9.0
	github.com/go-json-experiment/json v1.27.2
	github.com/google/pprof v0.0.0-20261105003125-4bf881d7fb0b
	github.com/yotiface/yotiface v0.0.0
)

replace github.com/yotiface/yotiface => ..

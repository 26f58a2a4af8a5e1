// Command draw draws people for the tests: it is built without the race detector, which makes drawing ten times as slow.
//
//	go run ./testdata/draw COUNT FOLDER
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"

	"github.com/yotiface/yotiface/yotitest"
)

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for i := range count {
		path := filepath.Join(os.Args[2], fmt.Sprintf("%02d.jpg", i))
		if err := os.WriteFile(path, yotitest.DrawFace(int64(1000+i)), 0o600); err != nil {
			log.Fatal(err)
		}
	}
}

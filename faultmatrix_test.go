package yotiface_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryFaultHasATest holds docs/faults.md to its word: every row has a number, an outcome and a test, the tests are
// there, and none of them is skipped but for -short. That they pass is seen in the same run.
func TestEveryFaultHasATest(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/faults.md")
	require.NoError(t, err)
	tests := testsOfThePackage(t)
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		number, err := strconv.Atoi(strings.TrimSpace(cells[0]))
		if err != nil {
			continue // not a row of a table of faults
		}
		rows++
		require.Len(t, cells, 4, line)
		assert.Equal(t, rows, number, "the rows are numbered one after the other")
		assert.NotEmpty(t, strings.TrimSpace(cells[1]), line)
		assert.NotEmpty(t, strings.TrimSpace(cells[2]), line)
		proofs := name.FindAllStringSubmatch(cells[3], -1)
		assert.NotEmpty(t, proofs, "no test proves row %d", number)
		for _, proof := range proofs {
			body, ok := tests[proof[1]]
			assert.True(t, ok, "row %d names %s, which does not exist", number, proof[1])
			assert.False(t, strings.Contains(body, "t.Skip") && !strings.Contains(body, "testing.Short()"), "%s is skipped", proof[1])
		}
	}
	assert.GreaterOrEqual(t, rows, 155)
}

// testsOfThePackage returns the source of every test and fuzz target by its name.
func testsOfThePackage(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	tests := map[string]string{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, source, 0)
		require.NoError(t, err)
		for _, declaration := range parsed.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
				tests[function.Name.Name] = string(source[set.Position(function.Pos()).Offset:set.Position(function.End()).Offset])
			}
		}
	}
	return tests
}

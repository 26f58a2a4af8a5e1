package yotiface_test

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A row of the fault matrix without a passing test fails the gate: the tests that the rows name all run in the same run as
// this one, which makes sure that there are such tests, and that nothing keeps them from running.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	matrix, err := os.ReadFile("docs/faults.md")
	require.NoError(t, err)
	names, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	sources := map[string]string{}
	for _, name := range names {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		sources[name] = string(source)
	}
	rows, complaints := checkFaultMatrix(string(matrix), sources)
	assert.Empty(t, complaints)
	assert.GreaterOrEqual(t, rows, 155)
}

// What the check of the matrix would find.
func TestFaultMatrixThatIsWrong(t *testing.T) {
	t.Parallel()
	const source = `package p
func TestGood(t *testing.T) { t.Run("one, "+"two", nil); t.Run(` + "`" + `a \n` + "`" + `, nil) }
func TestLong(t *testing.T) { if !testing.Short() { t.Log("long") } }
func TestSkipped(t *testing.T) { if os.Getenv("X") == "" { t.Skipf("no X") } }
func TestSometimes(t *testing.T) { t.Run("x", func(t *testing.T) { t.SkipNow() }) }
func FuzzGood(f *testing.F) {}
func helper(t *testing.T) {}
func (s suite) TestMethod(t *testing.T) {}
`
	const head = "# Faults\n\n| # | fault | the caller sees | proved by |\n| --- | --- | --- | --- |\n"
	for _, test := range []struct{ name, rows, complaint string }{
		{"right", "| 1 | a | b | `TestGood`, `TestGood/one, `, `TestGood/two` |\n| 2 | a `|` | b | `FuzzGood`, `TestGood/a \\n` |\n", ""},
		{"no test", "| 1 | a | b |  |\n", "row 1 names no test"},
		{"a promise in place of a test", "| 1 | a | b | to do |\n", "row 1 names no test"},
		{"words beside the test", "| 1 | a | b | `TestGood`, to do |\n", "row 1 has more than names in its last column"},
		{"a test that does not exist", "| 1 | a | b | `TestGone` |\n", "row 1 names TestGone, which does not exist"},
		{"a function that is no test", "| 1 | a | b | `helper` |\n", "row 1 names helper, which does not exist"},
		{"a method", "| 1 | a | b | `TestMethod` |\n", "row 1 names TestMethod, which does not exist"},
		{"a subtest that does not exist", "| 1 | a | b | `TestGood/three` |\n", "row 1 names TestGood/three, and no text of test_test.go has that"},
		{"a subtest of nothing", "| 1 | a | b | `TestGone/one` |\n", "row 1 names TestGone, which does not exist"},
		{"a test that may skip itself", "| 1 | a | b | `TestSkipped` |\n", "TestSkipped can be skipped"},
		{"a test that may leave something out", "| 1 | a | b | `TestLong` |\n", "TestLong can be skipped"},
		{"a test whose subtest may", "| 1 | a | b | `TestSometimes` |\n", "TestSometimes can be skipped"},
		{"a test that is not always built", "| 1 | a | b | `TestRare` |\n", "TestRare is in a file that is not always built"},
		{"a number left out", "| 1 | a | b | `TestGood` |\n| 3 | a | b | `TestGood` |\n", "row 3 should have number 2"},
		{"a cell left empty", "| 1 | a |  | `TestGood` |\n", "row 1 has an empty cell"},
		{"a cell too few", "| 1 | a | `TestGood` |\n", "row 1 has 3 cells"},
		{"a fault that no row names", "| 1 | a | b | `TestGood` |\n", "no row names TestOrphan"},
		{"nothing", "", "there is no row"},
	} {
		sources := map[string]string{
			"test_test.go": source,
			"rare_test.go": "//go:build never\n\npackage p\nfunc TestRare(t *testing.T) {}\n",
		}
		if strings.Contains(test.complaint, "TestOrphan") {
			sources["faults_test.go"] = "package p\nfunc TestOrphan(t *testing.T) {}\n"
		}
		_, complaints := checkFaultMatrix(head+test.rows, sources)
		if test.complaint == "" {
			assert.Empty(t, complaints, test.name)
		} else {
			assert.Equal(t, []string{test.complaint}, complaints, test.name)
		}
	}
}

// A testFile is what the check of the matrix has to know of a file.
type testFile struct {
	name        string
	tests       map[string]*ast.FuncDecl
	texts       []string // all string literals
	constrained bool     // by a build constraint
}

var (
	matrixRow  = regexp.MustCompile(`^\| ?\d+ ?\|`)
	matrixName = regexp.MustCompile("`((?:Test|Fuzz)?[^`]+)`")
)

// checkFaultMatrix returns how many rows the matrix has, and what is wrong with them.
func checkFaultMatrix(matrix string, sources map[string]string) (rows int, complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	files := map[string]*testFile{} // by the name of the test
	for name, source := range sources {
		file, err := readTestFile(name, source)
		if err != nil {
			complain("%v", err)
			continue
		}
		for test := range file.tests {
			files[test] = file
		}
	}
	named := map[string]bool{}
	for line := range strings.Lines(matrix) {
		line = strings.TrimSpace(line)
		if !matrixRow.MatchString(line) {
			continue
		}
		rows++
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ")
		number := cells[0]
		if number != strconv.Itoa(rows) {
			complain("row %s should have number %d", number, rows)
		}
		if len(cells) != 4 {
			complain("row %s has %d cells", number, len(cells))
			continue
		}
		if strings.TrimSpace(cells[1]) == "" || strings.TrimSpace(cells[2]) == "" {
			complain("row %s has an empty cell", number)
		}
		tests := matrixName.FindAllStringSubmatch(cells[3], -1)
		if len(tests) == 0 {
			complain("row %s names no test", number)
			continue
		}
		if rest := strings.Trim(matrixName.ReplaceAllString(cells[3], ""), ", "); rest != "" {
			complain("row %s has more than names in its last column", number)
		}
		for _, match := range tests {
			test, subtest, _ := strings.Cut(match[1], "/")
			file := files[test]
			if file == nil {
				complain("row %s names %s, which does not exist", number, test)
				continue
			}
			if subtest != "" && !file.has(subtest) {
				complain("row %s names %s, and no text of %s has that", number, match[1], file.name)
			}
			if named[test] {
				continue
			}
			named[test] = true
			if file.constrained {
				complain("%s is in a file that is not always built", test)
			}
			if canSkip(file.tests[test].Body) {
				complain("%s can be skipped", test)
			}
		}
	}
	if rows == 0 {
		complain("there is no row")
	}
	var orphans []string
	for test, file := range files {
		if !named[test] && (strings.HasPrefix(file.name, "faults_") || file.name == "leak_test.go") {
			orphans = append(orphans, test)
		}
	}
	slices.Sort(orphans)
	for _, test := range orphans {
		complain("no row names %s", test)
	}
	return rows, complaints
}

func readTestFile(name, source string) (*testFile, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	file := &testFile{name: name, tests: map[string]*ast.FuncDecl{}}
	for _, declaration := range parsed.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if ok && function.Recv == nil && (strings.HasPrefix(function.Name.Name, "Test") || strings.HasPrefix(function.Name.Name, "Fuzz")) {
			file.tests[function.Name.Name] = function
		}
	}
	for _, group := range parsed.Comments {
		for _, comment := range group.List {
			file.constrained = file.constrained || (comment.Pos() < parsed.Package && constraint.IsGoBuild(comment.Text))
		}
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				file.texts = append(file.texts, text)
			}
		}
		return true
	})
	return file, nil
}

// has reports whether a subtest, or each part of its name, occurs in a text of the file.
func (f *testFile) has(subtest string) bool {
	occurs := func(name string) bool {
		return slices.ContainsFunc(f.texts, func(text string) bool { return strings.Contains(text, name) })
	}
	return occurs(subtest) || !slices.ContainsFunc(strings.Split(subtest, "/"), func(part string) bool { return !occurs(part) })
}

// canSkip reports whether a test can skip itself, or leave something out where testing.Short is asked for.
func canSkip(body ast.Node) (can bool) {
	ast.Inspect(body, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			can = can || slices.Contains([]string{"Skip", "Skipf", "SkipNow", "Short"}, selector.Sel.Name)
		}
		return true
	})
	return can
}

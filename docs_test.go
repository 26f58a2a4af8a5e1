package yotiface_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/yotiface/yotiface/yotitest"
)

// The packages that a snippet of the documentation may use without saying so.
var snippetImports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "json": "encoding/json", "http": "net/http", "log": "log",
	"os": "os", "slog": "log/slog", "strings": "strings", "time": "time", "httpmock": "github.com/jarcoal/httpmock",
	"create": "github.com/getyoti/yoti-go-sdk/v3/docscan/session/create", "check": "github.com/getyoti/yoti-go-sdk/v3/docscan/session/create/check",
	"yotiface": "github.com/yotiface/yotiface", "yotitest": "github.com/yotiface/yotiface/yotitest",
}

// The variables that a snippet may use without declaring them.
const snippetParameters = `ctx context.Context, client *yotiface.Client, session *yotiface.Session, search *yotiface.FamiliarFaceSearch,
	sdkID, sessionID, poolID, applicantID, userID string, pemKey, sessionJSON, image []byte, specification *create.SessionSpecification`

var fencedGo = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// TestDocumentationCompiles builds every Go snippet of the documentation: programs as they are, others as the body of a
// function that has the usual variables. Where a page lists its imports, what follows is one function, with these imports
// and no variables but a context and an image.
func TestDocumentationCompiles(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	module := snippetModule(t)
	snippets, programs := 0, 0
	write := func(name, source string) {
		folder := filepath.Join(module, name)
		require.NoError(t, os.Mkdir(folder, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "snippet.go"), []byte(source), 0o600))
	}
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		page = strings.NewReplacer("/", "_", ".", "_").Replace(page)
		var imports, steps string
		for i, match := range fencedGo.FindAllSubmatch(text, -1) {
			snippets++
			name, source := fmt.Sprintf("%s_%d", page, i+1), string(match[1])
			switch {
			case strings.HasPrefix(source, "package "):
				write(name, source)
			case strings.HasPrefix(source, "import "):
				imports = source
			case imports != "":
				steps += source
			default:
				write(name, wrapSnippet(t, name, source))
			}
		}
		if imports != "" {
			programs++
			write(page+"_steps", "package steps\n\n"+imports+"\nfunc _(ctx context.Context, image []byte) error {\n"+steps+"\nreturn nil\n}\n")
		}
	}
	require.Positive(t, snippets)
	require.Positive(t, programs, "the steps of docs/getting-started.md")
	out, err := goCommand(t, module, "vet", "./...").CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestDocumentationNamesWhatExists finds files and folders that the documentation refers to and that are not there.
func TestDocumentationNamesWhatExists(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	pages = append(pages, "README.md", "SECURITY.md", "CHANGELOG.md")
	example, link := regexp.MustCompile(`examples/[a-z]+`), regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, name := range example.FindAllString(string(text), -1) {
			assert.DirExists(t, name, page)
		}
		for _, target := range link.FindAllStringSubmatch(string(text), -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(page), target[1]))
			assert.NoError(t, err, page)
		}
	}
}

// TestProgramOfTheReadme runs the first program of the README as a user would, with the key in a file.
func TestProgramOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	program := fencedGo.FindSubmatch(readme)[1]
	require.True(t, strings.HasPrefix(string(program), "package main"))

	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for line := range strings.Lines(string(program)) {
		assert.Contains(t, string(doc), strings.TrimRight("//\t"+line, "\t\n"), "the package comment has the same program")
	}

	module := snippetModule(t)
	require.NoError(t, os.WriteFile(filepath.Join(module, "main.go"), program, 0o600))
	binary := filepath.Join(module, "program")
	out, err := goCommand(t, module, "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)

	demo := yotitest.Demo()
	defer demo.Close()
	keyFile := filepath.Join(module, "key.pem")
	require.NoError(t, os.WriteFile(keyFile, demo.KeyPEM(), 0o600))
	run := exec.CommandContext(t.Context(), binary, demo.Sessions[0].ID)
	run.Env = append(os.Environ(), "YOTI_CLIENT_SDK_ID="+demo.SDKID(), "YOTI_KEY_FILE_PATH="+keyFile, "YOTI_DOC_SCAN_API_URL="+demo.URL())
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "REJECTED\n", string(out))
}

// TestProgramOfGettingStarted holds what the first program of the page prints against what the page shows, but for sizes.
func TestProgramOfGettingStarted(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/getting-started.md")
	require.NoError(t, err)
	module := snippetModule(t)
	require.NoError(t, os.WriteFile(filepath.Join(module, "main.go"), fencedGo.FindSubmatch(page)[1], 0o600))
	out, err := goCommand(t, module, "run", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	sizes := regexp.MustCompile(`\d+ bytes`)
	printed := strings.ReplaceAll("\n"+strings.TrimSpace(string(out)), "\n", "\n    ")
	assert.Contains(t, sizes.ReplaceAllString(string(page), "N bytes"), "\n"+sizes.ReplaceAllString(printed, "N bytes")+"\n\n## 2.", "all of it")
}

// snippetModule makes a module that uses this one.
func snippetModule(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	require.NoError(t, err)
	module := t.TempDir()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	mod = []byte(strings.Replace(string(mod), "module github.com/yotiface/yotiface", "module snippets", 1) +
		"\nrequire github.com/yotiface/yotiface v0.0.0\nreplace github.com/yotiface/yotiface => " + here + "\n")
	require.NoError(t, os.WriteFile(filepath.Join(module, "go.mod"), mod, 0o600))
	sum, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(module, "go.sum"), sum, 0o600))
	return module
}

func goCommand(t *testing.T, folder string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	return cmd
}

// wrapSnippet makes a file of statements or declarations.
func wrapSnippet(t *testing.T, name, source string) string {
	t.Helper()
	var file strings.Builder
	fmt.Fprintf(&file, "package snippet\n\nimport (\n\t_ %q\n", "embed")
	used := regexp.MustCompile(`\b([a-z]+)\.[A-Z]`).FindAllStringSubmatch(source+snippetParameters, -1)
	var names []string
	for _, match := range used {
		names = append(names, match[1])
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if path, ok := snippetImports[n]; ok {
			fmt.Fprintf(&file, "\t%q\n", path)
		}
	}
	file.WriteString(")\n\n")
	if declarations := "package p\n" + source; parses(declarations) {
		return file.String() + source + "\nvar _ context.Context\nvar _ *yotiface.Client\n"
	}
	body := "package p\nfunc _() error {\n" + source + "\nreturn nil }\n"
	parsed, err := parser.ParseFile(token.NewFileSet(), name, body, 0)
	require.NoError(t, err, "%s", source)
	fmt.Fprintf(&file, "func _(%s) error {\nreturn func() error {\n%s\n", snippetParameters, source) // a scope to declare in
	function, ok := parsed.Decls[0].(*ast.FuncDecl)
	require.True(t, ok)
	last := function.Body.List[max(0, len(function.Body.List)-2)] // before the return that was added
	if _, returns := last.(*ast.ReturnStmt); !returns {
		file.WriteString("return nil\n")
	}
	file.WriteString("}()\n}\n")
	return file.String()
}

func parses(source string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	return err == nil
}

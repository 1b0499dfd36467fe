// Evaluates the expressions of ../expr_cases.txt with expr-lang's own VM: `NAME nanoseconds` a line.
//
// The programs are compiled and the environment is nested beforehand; `compile_NAME` is compiling them.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm"
	"github.com/valyala/fasttemplate"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// nested makes maps of dotted names.
func nested(flat map[string]any) map[string]any {
	root := map[string]any{"asInt": builtin.Int}
	for name, v := range flat {
		at := root
		parts := strings.Split(name, ".")
		for _, part := range parts[:len(parts)-1] {
			if _, known := at[part]; !known {
				at[part] = map[string]any{}
			}
			at = at[part].(map[string]any)
		}
		at[parts[len(parts)-1]] = v
	}
	return root
}

// measure gives nanoseconds of one call; it runs for about a fifth of a second.
func measure(once func() error) float64 {
	for count := 16; ; count *= 4 {
		start := time.Now()
		for i := 0; i < count; i++ {
			must(once())
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			return float64(took.Nanoseconds()) / float64(count)
		}
	}
}

// script is the same as expr_bench.cc's.
func script() string {
	var out strings.Builder
	out.WriteString("set -e\n")
	for i := 0; i < 5; i++ {
		out.WriteString("echo 'workflow {{workflow.name}} is {{workflow.status}}' >> /tmp/report\n")
		out.WriteString("curl -fsS -X POST -d '{{inputs.parameters.message}}' http://127.0.0.1/report\n")
		out.WriteString("test {{inputs.parameters.count}} -gt 3 || exit 1  # as the step before has said\n")
	}
	return out.String()
}

// substitute does what Argo does for simple tags: values are escaped as for JSON.
func substitute(text string, values map[string]any) error {
	template, err := fasttemplate.NewTemplate(text, "{{", "}}")
	if err != nil {
		return err
	}
	_, err = template.ExecuteFuncStringWithErr(func(w io.Writer, tag string) (int, error) {
		value, known := values[strings.TrimSpace(tag)].(string)
		if !known {
			return fmt.Fprintf(w, "{{%s}}", tag)
		}
		quoted := strconv.Quote(value)
		return w.Write([]byte(quoted[1 : len(quoted)-1]))
	})
	return err
}

func main() {
	dir := os.Args[1]
	text, err := os.ReadFile(filepath.Join(dir, "expr_env.json"))
	must(err)
	var flat map[string]any
	must(json.Unmarshal(text, &flat))
	env := nested(flat)
	cases, err := os.Open(filepath.Join(dir, "expr_cases.txt"))
	must(err)
	lines := bufio.NewScanner(cases)
	for lines.Scan() {
		name, source, found := strings.Cut(lines.Text(), "\t")
		if !found {
			continue
		}
		program, err := expr.Compile(source, expr.Env(env))
		must(err)
		var machine vm.VM
		fmt.Printf("%s %.1f\n", name, measure(func() error {
			_, err := machine.Run(program, env)
			return err
		}))
		fmt.Printf("compile_%s %.1f\n", name, measure(func() error {
			_, err := expr.Compile(source, expr.Env(env))
			return err
		}))
	}
	steps := script()
	fmt.Printf("script_20_tags %.1f\n", measure(func() error { return substitute(steps, flat) }))
}

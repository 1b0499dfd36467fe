// Evaluates the expressions of ../expr_cases.txt with expr-lang's own VM: `NAME nanoseconds` a line.
//
// The programs are compiled and the environment is nested beforehand; only running is measured.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/vm"
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

// measure gives nanoseconds of one run; it runs for about a fifth of a second.
func measure(program *vm.Program, env map[string]any) float64 {
	var machine vm.VM
	for count := 64; ; count *= 4 {
		start := time.Now()
		for i := 0; i < count; i++ {
			_, err := machine.Run(program, env)
			must(err)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			return float64(took.Nanoseconds()) / float64(count)
		}
	}
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
		fmt.Printf("%s %.1f\n", name, measure(program, env))
	}
}

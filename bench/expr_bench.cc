// expr_bench DIR [NAME]: what expressions, tags and YAML cost: `NAME nanoseconds` a line; only one
// of them, for a profile.
//
// DIR holds expr_cases.txt and expr_env.json. An expression's figure holds the making of its
// environment from flat variables, which Go's does not. `yaml` and `libyaml` are
// nanoseconds for a byte of the same text; libyaml only parses it to events.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <yaml.h>

#include "expr/program.h"
#include "spec/yaml_reader.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "vars/scope.h"

namespace {

using Clock = std::chrono::steady_clock;

/// Nanoseconds of one call, by calls for at least a tenth of a second.
double measure(const std::function<bool()>& once) {
  for (int count = 16;; count *= 4) {
    const auto start = Clock::now();
    for (int i = 0; i < count; ++i) {
      if (!once()) std::abort();
    }
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    if (took.count() > 1e8) return took.count() / count;
  }
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A manifest of many steps, as people write them.
std::string manifest() {
  std::string out = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n";
  out += "  generateName: bench-\nspec:\n  entrypoint: main\n  templates:\n";
  for (int i = 0; i < 500; ++i) {
    const std::string n = std::to_string(i);
    out += "  - name: template-" + n + "\n    inputs:\n      parameters:\n      - name: message\n";
    out += "        value: \"hello {{workflow.name}}\"  # a comment\n      - {name: n, value: " + n;
    out += "}\n    container:\n      image: alpine:3.20\n      command: [sh, -c]\n      args:\n";
    out +=
        "      - |\n        set -e\n        echo '{{inputs.parameters.message}}'\n        exit 0\n";
  }
  return out;
}

/// A script of a step, with twenty tags in it.
std::string script() {
  std::string out = "set -e\n";
  for (int i = 0; i < 5; ++i) {
    out += "echo 'workflow {{workflow.name}} is {{workflow.status}}' >> /tmp/report\n";
    out += "curl -fsS -X POST -d '{{inputs.parameters.message}}' http://127.0.0.1/report\n";
    out += "test {{inputs.parameters.count}} -gt 3 || exit 1  # as the step before has said\n";
  }
  return out;
}

/// The parser under ours, alone: all events, from nothing to nothing.
bool parse_bare(const std::string& text) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) return false;
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()),
                               text.size());
  bool is_fine = true;
  for (bool is_ended = false; is_fine && !is_ended;) {
    yaml_event_t event;
    is_fine = yaml_parser_parse(&parser, &event) != 0;
    is_ended = is_fine && event.type == YAML_STREAM_END_EVENT;
    if (is_fine) yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  return is_fine;
}

/// Measures and prints what it is told, if it is what is wanted.
class Bench {
 public:
  explicit Bench(std::string wanted) : wanted_(std::move(wanted)) {}

  void run(const std::string& name, const std::function<bool()>& once, double units = 1) const {
    if (!wanted_.empty() && name != wanted_) return;
    std::printf("%s %.2f\n", name.c_str(), measure(once) / units);
    std::fflush(stdout);
  }

 private:
  std::string wanted_;
};

void bench_yaml(const Bench& bench) {
  const std::string text = manifest();
  const auto bytes = static_cast<double>(text.size());
  for (int i = 0; i < 3; ++i) {  // in turn, as one is divided by the other
    bench.run(
        "yaml", [&] { return tiphys::spec::read_yaml(text, {.file = "f"}).has_value(); }, bytes);
    bench.run("libyaml", [&] { return parse_bare(text); }, bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = argc > 1 ? argv[1] : "bench";
  const Bench bench(argc > 2 ? argv[2] : "");
  const auto env = tiphys::value::parse_json(read_file(dir + "/expr_env.json"));
  if (!env) return 2;
  tiphys::vars::MapScope scope;
  for (const auto& [name, v] : env->map()) scope.set(name, v);
  std::ifstream cases(dir + "/expr_cases.txt");
  for (std::string line; std::getline(cases, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const auto program = tiphys::expr::Program::parse(line.substr(tab + 1));
    if (!program || !program->run(scope)) {
      std::fprintf(stderr, "%s does not run\n", line.c_str());
      return 1;
    }
    bench.run(line.substr(0, tab), [&] { return program->run(scope).has_value(); });
    bench.run("compile_" + line.substr(0, tab),
              [&] { return tiphys::expr::Program::parse(line.substr(tab + 1)).has_value(); });
  }
  const std::string tags =
      "{{workflow.name}}: {{ inputs.parameters.message }} {{steps.gen-it.status}}";
  const std::string steps = script();
  bench.run("script_20_tags",
            [&] { return tiphys::tag::substitute(steps, scope, {}).has_value(); });
  bench.run("tags", [&] { return tiphys::tag::substitute(tags, scope, {}).has_value(); });
  const std::string tag = "status {{=workflow.status == 'Failed' ? 'bad' : 'good'}}";
  bench.run("expression_tag", [&] { return tiphys::tag::substitute(tag, scope, {}).has_value(); });
  bench_yaml(bench);
  return 0;
}

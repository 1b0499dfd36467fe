#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/rehearse.h"
#include "cli/scenario.h"
#include "cli/scenario_check.h"
#include "diag/render.h"
#include "spec/yaml_reader.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::Value;

struct TestOptions {
  std::vector<std::string> files;
  std::string junit;
};

// `files` of the test: manifests beside it.
std::vector<std::string> manifests_of(const Value& test, const std::string& file) {
  std::vector<std::string> paths;
  for (const Value& name : test["files"].list()) {
    paths.push_back(std::filesystem::path(file).parent_path() / name.string_or(""));
  }
  return paths;
}

diag::Result<CaseResult> run_case(const Value& test, const Value& one, const std::string& file,
                                  Session& session) {
  Overrides overrides;
  overrides.name_space = session.name_space;
  for (const Value* parameters : {&one["parameters"], &test["parameters"]}) {
    for (const auto& [name, v] : parameters->map()) {
      const std::string text = v.is_string() ? v.as_string() : value::to_json(v);
      overrides.parameters.push_back(fmt::format("{}={}", name, text));
    }
  }
  TRY(sim::Script script, script_of_case(one["given"]));
  TRY(engine::Definition definition,
      definition_to_rehearse(manifests_of(test, file), overrides, "", session));
  sim::Rehearsal rehearsal(std::move(definition), std::move(script));
  rehearsal.run();
  CaseResult result{
      .file = file, .name = std::string(one["name"].string_or("")), .differences = {}};
  TRY(result.differences, differences(one["expect"], rehearsal));
  return result;
}

diag::Result<void> run_file(const std::string& file, std::vector<CaseResult>& results,
                            Session& session) {
  TRY(const std::string text, read_file(file));
  TRY(const spec::YamlDocument document, spec::read_yaml(text, {.file = file}));
  const Value& test = document.value;
  std::vector<diag::Diagnostic> faults = check_scenarios(test, *document.positions);
  if (!faults.empty()) {
    fmt::print(stderr, "{}", diag::render_all(std::move(faults), [&](const std::string& /*file*/) {
                 return std::optional<std::string_view>(text);
               }));
    return wrong_usage(fmt::format("{} has errors; nothing of it was run", file));
  }
  for (const Value& one : test["tests"].list()) {
    auto result = run_case(test, one, file, session);
    if (!result) {
      result = CaseResult{.file = file,
                          .name = std::string(one["name"].string_or("")),
                          .differences = {result.error().message}};
    }
    fmt::print("{} {}\n", result->differences.empty() ? "ok    " : "FAILED", result->name);
    for (const std::string& line : result->differences) fmt::print("       {}\n", line);
    results.push_back(std::move(*result));
  }
  return {};
}

diag::Result<void> test(const TestOptions& o, Session& session) {
  std::vector<CaseResult> results;
  for (const std::string& file : o.files) TRY_VOID(run_file(file, results, session));
  std::size_t failed = 0;
  for (const CaseResult& r : results) failed += r.differences.empty() ? 0 : 1;
  fmt::print("{} passed, {} failed\n", results.size() - failed, failed);
  if (failed > 0) session.exit_code = 1;
  if (o.junit.empty()) return {};
  std::ofstream out(o.junit, std::ios::binary);
  out << to_junit(results);
  out.close();
  if (out) return {};
  return diag::fail(diag::Code::kIo, fmt::format("cannot write '{}'", o.junit));
}

}  // namespace

void add_test(CLI::App& app, Session& session) {
  auto o = std::make_shared<TestOptions>();
  CLI::App* command = add_command(app, "test", "check what workflows would do, in virtual time",
                                  session, [o, &session] { return test(*o, session); });
  command->add_option("FILE", o->files, "tests, e.g. deploy.test.yaml")->required();
  command->add_option("--junit", o->junit, "write the results to this file, in JUnit's XML");
}

}  // namespace tiphys::cli

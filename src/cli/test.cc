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

// What is wrong with the file is told; the first fault, at its place, is what the error says.
diag::Result<spec::YamlDocument> read_tests(const std::string& file) {
  TRY(const std::string text, read_file(file));
  auto document = spec::read_yaml(text, {.file = file});
  std::vector<diag::Diagnostic> faults;
  if (document) {
    faults = check_scenarios(document->value, *document->positions);
  } else {
    faults.push_back({diag::Severity::kError, document.error(), ""});
  }
  if (faults.empty()) return document;
  const diag::Error first = faults.front().error;
  fmt::print(stderr, "{}", diag::render_all(std::move(faults), [&](const std::string& /*file*/) {
               return std::optional<std::string_view>(text);
             }));
  const std::string place =
      first.at.is_known() ? fmt::format("{}:{}:{}: ", file, first.at.line, first.at.column) : "";
  return wrong_usage(place + first.message);
}

void run_file(const std::string& file, std::vector<CaseResult>& results, Session& session) {
  const auto document = read_tests(file);
  if (!document) {
    fmt::print("BROKEN {}\n       {}\n", file, document.error().message);
    results.push_back({.file = file,
                       .name = std::filesystem::path(file).filename(),
                       .differences = {},
                       .error = document.error().message});
    return;
  }
  const Value& test = document->value;
  for (const Value& one : test["tests"].list()) {
    auto result = run_case(test, one, file, session);
    if (!result) {
      result = CaseResult{.file = file,
                          .name = std::string(one["name"].string_or("")),
                          .differences = {},
                          .error = result.error().message};
    }
    const char* word = !result->error.empty()        ? "BROKEN"
                       : result->differences.empty() ? "ok    "
                                                     : "FAILED";
    fmt::print("{} {}\n", word, result->name);
    if (!result->error.empty()) fmt::print("       {}\n", result->error);
    for (const std::string& line : result->differences) fmt::print("       {}\n", line);
    results.push_back(std::move(*result));
  }
}

diag::Result<void> test(const TestOptions& o, Session& session) {
  std::vector<CaseResult> results;
  for (const std::string& file : o.files) run_file(file, results, session);
  std::size_t failed = 0;
  std::size_t broken = 0;
  for (const CaseResult& r : results) {
    failed += r.differences.empty() ? 0 : 1;
    broken += r.error.empty() ? 0 : 1;
  }
  const std::string more = broken == 0 ? "" : fmt::format(", {} broken", broken);
  fmt::print("{} passed, {} failed{}\n", results.size() - failed - broken, failed, more);
  if (failed + broken > 0) session.exit_code = 1;
  if (o.junit.empty()) return {};
  std::ofstream out(o.junit, std::ios::binary);
  out << to_junit(results);
  out.close();
  if (out) return {};
  return diag::fail(diag::Code::kIo, fmt::format("cannot write '{}'", o.junit));
}

}  // namespace

void add_test(Command app, Session& session) {
  auto o = std::make_shared<TestOptions>();
  const Command command = add_command(app, "test", "check what workflows would do, in virtual time",
                                      session, [o, &session] { return test(*o, session); });
  command.add_option("FILE", o->files, "tests, e.g. deploy.test.yaml").required();
  command.add_option("--junit", o->junit, "write the results to this file, in JUnit's XML");
}

}  // namespace tiphys::cli

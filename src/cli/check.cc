#include "cli/check.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "diag/render.h"
#include "lint/lint.h"
#include "spec/merge.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

lint::FindStored finder_of(store::Store& store) {
  return [&store](std::string_view kind, std::string_view name_space,
                  std::string_view name) -> std::optional<value::Value> {
    const std::string_view space = kind == "ClusterWorkflowTemplate" ? ""
                                   : name_space.empty()              ? "default"
                                                                     : name_space;
    auto row = store.find_object(kind, space, name);
    if (!row) return std::nullopt;
    auto object = value::parse_json(row->json);
    return object ? std::optional(std::move(*object)) : std::nullopt;
  };
}

// The workflows as the flags make them: a parameter that is only given with -p is not missing.
diag::Result<std::vector<spec::Manifest>> overridden(const Documents& documents,
                                                     const Overrides& overrides) {
  std::vector<spec::Manifest> manifests = documents.manifests;
  for (spec::Manifest& m : manifests) {
    if (m.kind != "Workflow") continue;
    TRY(m.object, apply_overrides(m.object, overrides));
    m.name = m.object["metadata"]["name"].string_or("");
  }
  return manifests;
}

std::string cause_of(const diag::Diagnostic& d) {
  return d.suggestion.empty() ? d.error.message : d.error.message + "; " + d.suggestion;
}

const spec::Manifest* owner_of(const Documents& documents, const diag::Diagnostic& finding) {
  // Findings carry a place; the manifest is the last one of the file that begins before it.
  const spec::Manifest* owner = nullptr;
  for (const spec::Manifest& m : documents.manifests) {
    if (!m.positions) continue;
    const diag::Position at = m.positions->value("");
    if (at.file == finding.error.at.file && at.line <= finding.error.at.line) owner = &m;
  }
  return owner;
}

// argo's own two ways of telling, for scripts that read them.
void print_as_argo(const Documents& documents, bool is_simple) {
  int errors = 0;
  std::string file;
  for (const diag::Diagnostic& d : documents.findings) {
    if (d.severity != diag::Severity::kError) continue;
    ++errors;
    const spec::Manifest* m = owner_of(documents, d);
    const std::string name = m == nullptr      ? "object #1"
                             : m->name.empty() ? m->generate_name
                                               : m->name;
    const std::string kind = m == nullptr ? "Workflow" : m->kind;
    if (is_simple) {
      fmt::print("{}: in \"{}\" ({}): {}\n", d.error.at.file, name, kind, cause_of(d));
      continue;
    }
    if (file != d.error.at.file) {
      file = d.error.at.file;
      fmt::print("\x1b[4m{}\x1b[0m:\n", file);
    }
    fmt::print("   \x1b[31m✖\x1b[0m in \"{}\" ({}): {}\n", name, kind, cause_of(d));
  }
  if (is_simple) return;
  if (documents.manifests.empty() && errors == 0) {
    fmt::print("\x1b[31m✖\x1b[0m found nothing to lint in the specified paths, failing...\n");
  } else if (errors == 0) {
    fmt::print("\x1b[32m✔\x1b[0m no linting errors found!\n");
  } else {
    fmt::print("\n\x1b[31m✖ {} linting errors found!\x1b[0m\n", errors);
  }
}

void print_with_lines(const Documents& documents, const Session& session) {
  auto text_of = [&](const std::string& file) -> std::optional<std::string_view> {
    for (const Source& s : documents.sources) {
      if (s.file == file) return s.text;
    }
    return std::nullopt;
  };
  fmt::print("{}", diag::render_all(documents.findings, text_of, {.color = session.color()}));
  const auto errors = std::ranges::count_if(
      documents.findings, [](const auto& d) { return d.severity == diag::Severity::kError; });
  const auto warnings = static_cast<std::ptrdiff_t>(documents.findings.size()) - errors;
  if (documents.manifests.empty() && errors == 0) {
    fmt::print("nothing to lint in the given files\n");
  } else if (errors == 0 && warnings == 0) {
    fmt::print("no problems found in {} manifests\n", documents.manifests.size());
  } else {
    fmt::print("{} errors, {} warnings\n", errors, warnings);
  }
}

}  // namespace

void print_findings(const Documents& documents, const Session& session) {
  auto text_of = [&](const std::string& file) -> std::optional<std::string_view> {
    for (const Source& s : documents.sources) {
      if (s.file == file) return s.text;
    }
    return std::nullopt;
  };
  fmt::print(stderr, "{}",
             diag::render_all(documents.findings, text_of, {.color = session.color()}));
}

diag::Result<void> check_documents(Documents& documents, store::Store& store,
                                   const Overrides& overrides, const Session& session) {
  if (!documents.has_errors()) {
    TRY(const auto manifests, overridden(documents, overrides));
    const bool has_workflow =
        std::ranges::any_of(manifests, [](const auto& m) { return m.kind == "Workflow"; });
    for (diag::Diagnostic& d :
         lint::check({.manifests = manifests, .find_stored = finder_of(store)})) {
      // A template given beside a workflow need not be in order, unless the workflow uses it: that
      // is told there.
      const spec::Manifest* owner = owner_of(documents, d);
      if (has_workflow && owner != nullptr && owner->kind != "Workflow")
        d.severity = diag::Severity::kWarning;
      documents.findings.push_back(std::move(d));
    }
  }
  print_findings(documents, session);
  if (!documents.has_errors()) return {};
  return diag::fail(diag::Code::kInvalidManifest, "the manifests have errors; nothing was started");
}

void mark_invalid(std::vector<runtime::Submission>& submissions, store::Store& store) {
  for (runtime::Submission& s : submissions) {
    const lint::FindStored stored = finder_of(store);
    auto find = [&](std::string_view kind, std::string_view name_space,
                    std::string_view name) -> std::optional<value::Value> {
      for (const value::Value& t : s.templates) {
        if (t["kind"].string_or("") == kind && t["metadata"]["name"].string_or("") == name)
          return t;
      }
      return stored(kind, name_space, name);
    };
    value::Map object = s.workflow.map();
    object.set("spec",
               spec::join_workflow_specs(s.workflow["spec"], {}, s.workflow_defaults["spec"]));
    if (auto valid = lint::validate_workflow(value::Value(std::move(object)), find); !valid)
      s.invalid = valid.error().message;
  }
}

diag::Result<void> lint_files(const std::vector<std::string>& files, const std::string& output,
                              Session& session) {
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(files));
  for (diag::Diagnostic& d :
       lint::check({.manifests = documents.manifests, .find_stored = finder_of(*state.store)})) {
    documents.findings.push_back(std::move(d));
  }
  if (output == "simple" || output == "pretty") {
    print_as_argo(documents, output == "simple");
  } else if (output.empty()) {
    print_with_lines(documents, session);
  } else {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("unknown output format '{}': want pretty or simple", output));
  }
  if (documents.has_errors() || documents.manifests.empty()) session.exit_code = 1;
  return {};
}

void add_lint(CLI::App& app, Session& session) {
  struct Flags {
    std::vector<std::string> files;
    std::string output;
    std::string kinds;
    bool offline = false;
    bool strict = true;
  };
  auto o = std::make_shared<Flags>();
  CLI::App* command =
      add_command(app, "lint", "check manifests: errors, and hooks that cannot fire", session,
                  [o, &session] { return lint_files(o->files, o->output, session); });
  command->add_option("FILE", o->files, "files or folders; - is stdin")->required();
  command->add_option("-o,--output", o->output, "pretty or simple, as argo prints them");
  command->add_option("--kinds", o->kinds, "accepted; all kinds are checked");
  command->add_flag("--offline", o->offline, "accepted; lint never needs a network");
  command->add_flag("--strict,!--no-strict", o->strict, "accepted; reading is strict");
}

}  // namespace tiphys::cli
